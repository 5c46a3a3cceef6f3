import FuzzTargets

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#endif

/// Runs a fuzz target. Without libFuzzer it makes its inputs by seeded mutations; built by `.ci/fuzz`, libFuzzer makes them, led by
/// what they reach.
@main
struct Fuzzer {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 2, let target = FuzzTarget.all.first(where: { $0.name == arguments[1] }) else {
      print(
        "usage: Fuzzer TARGET [INPUTS [SEED]], or TARGET and options of libFuzzer; of \(FuzzTarget.all.map(\.name))")
      exit(64)
    }
    if arguments.count == 4, arguments[2] == "--write-corpus" {
      for (number, input) in target.corpus.enumerated() { try write(input, to: "\(arguments[3])/seed-\(number)") }
      return
    }
    #if LIBFUZZER
      try runLibFuzzer(target, [arguments[0]] + arguments[2...])
    #else
      let count = arguments.count > 2 ? Int(arguments[2]) ?? 0 : 100_000
      var mutator = Mutator(target.corpus, seed: arguments.count > 3 ? UInt64(arguments[3]) ?? 1 : 1)
      for number in 0..<count {
        let input = mutator.next()
        do throws(FuzzTarget.Broken) {
          try target.tryInput(input)
        } catch {
          print("\(target.name), input \(number): \(error): \(String(decoding: input, as: UTF8.self)) \(input)")
          exit(1)
        }
      }
      print("\(target.name): \(count) inputs")
    #endif
  }
}

extension Fuzzer {
  private static func write(_ bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw FuzzTarget.Broken(description: "cannot write \(path)") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }
}

#if LIBFUZZER
  // libFuzzer calls a C function without a context; set before it runs.
  nonisolated(unsafe) private var current: FuzzTarget?

  private func runOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
      try current?.tryInput(bytes)
    } catch {
      fatalError("\(error): \(bytes)")
    }
    return 0
  }

  /// The main function of libFuzzer, which is not called here, refers to it.
  @_cdecl("LLVMFuzzerTestOneInput")
  func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { runOne(start, count) }

  @_silgen_name("LLVMFuzzerRunDriver")
  private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
  ) -> CInt

  private func runLibFuzzer(_ target: FuzzTarget, _ arguments: [String]) throws {
    current = target
    let words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count + 1)
    for (index, word) in arguments.enumerated() { words[index] = strdup(word) }
    words[arguments.count] = nil
    var (count, list) = (CInt(arguments.count), words)
    exit(runDriver(&count, &list, { start, count in runOne(start, count) }))
  }
#endif
