import CFaults
import Foundation

/// A program whose system calls on some files are counted, with a fault injected into one of them.
struct TracedProgram: Sendable {
  /// The fault.
  enum Action: Sendable {
    case kill
    case fail(FaultError)
    /// All threads stop after the call, until `look` returns; then it is killed.
    case freeze(look: @Sendable () -> Void)
  }

  struct Strike: Sendable {
    let calls: [FaultCall]
    /// The number of the call, from 1.
    let at: Int
    /// Whether all later calls fail too.
    var isLasting = false
    let action: Action
  }

  /// How a run ended.
  struct Run: Sendable {
    enum Ending: Equatable, Sendable { case exited(Int32), killed(signal: Int32), late }

    let ending: Ending
    /// The call that was struck and its file; `nil` if it was not reached.
    let struck: (call: String, path: String)?
    let calls: [FaultCall: Int]
    let output: String
    let errors: String
    let seconds: Double

    /// The end of its standard error.
    var complaint: String {
      errors.split(separator: "\n").last.map { String($0.prefix(300)) } ?? ""
    }
  }

  let executable: String
  /// Only calls on files below this folder count.
  let folder: String
  /// The folder for the output of programs.
  let streams: String
  let environment: [String]

  /// Runs it to its end. Blocks the thread.
  ///
  /// - Parameter deadline: The time after which it is killed.
  /// - Throws: `BenchError` if it could not be run.
  func run(_ arguments: [String], struck strike: Strike? = nil, deadline: Duration) throws -> Run {
    let file = streams + "/" + UUID().uuidString
    let (output, errors) = (file + ".out", file + ".err")
    defer { for path in [output, errors] { unlink(path) } }
    for path in [output, errors] { try Data().write(to: URL(filePath: path)) }
    let look = Look()
    let begin = ContinuousClock.now
    let result = try withCStrings([executable] + arguments) { words in
      try withCStrings(environment) { variables in
        try trace(words, variables, output, errors, strike, look, deadline)
      }
    }
    return Run(
      ending: result.is_late != 0 ? .late : .init(status: result.status), struck: result.strikePlace,
      calls: result.callsByKind,
      output: String(decoding: try Data(contentsOf: URL(filePath: output)), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: URL(filePath: errors)), as: UTF8.self),
      seconds: (ContinuousClock.now - begin) / .seconds(1))
  }

  private func trace(
    _ words: [UnsafeMutablePointer<CChar>?], _ variables: [UnsafeMutablePointer<CChar>?], _ output: String,
    _ errors: String, _ strike: Strike?, _ look: Look, _ deadline: Duration
  ) throws -> faults_result {
    var plan = faults_plan()
    var result = faults_result()
    plan.calls = strike?.calls.bits ?? 0
    plan.at = strike?.at ?? 0
    plan.is_lasting = strike?.isLasting == true ? 1 : 0
    plan.deadline_milliseconds = Int32(clamping: Int64(deadline / .milliseconds(1)))
    switch strike?.action {
    case nil, .kill: plan.action = FAULTS_KILL
    case .fail(.short): plan.action = FAULTS_SHORTEN
    case .fail(let error):
      plan.action = FAULTS_FAIL
      plan.error = error.number
    case .freeze(let body):
      plan.action = FAULTS_FREEZE
      look.body = body
      plan.context = Unmanaged.passUnretained(look).toOpaque()
      plan.frozen = { context in context.map { Unmanaged<Look>.fromOpaque($0).takeUnretainedValue().body() } }
    }
    let failure = words.withUnsafeBufferPointer { words in
      variables.withUnsafeBufferPointer { variables in
        "/dev/null".withCString { input in
          output.withCString { output in
            errors.withCString { errors in
              folder.withCString { folder in
                plan.arguments = words.baseAddress
                plan.environment = variables.baseAddress
                (plan.input, plan.output, plan.errors, plan.below) = (input, output, errors, folder)
                return withExtendedLifetime(look) { faults_run(&plan, &result) }
              }
            }
          }
        }
      }
    }
    guard failure == 0 else {
      throw BenchError("\(executable) cannot be traced: \(String(cString: strerror(failure)))")
    }
    guard result.status != 126 << 8 else { throw BenchError("\(executable) does not start") }
    return result
  }

  /// Lends copies of strings, with a null at the end, to `body`.
  private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Result
  ) rethrows -> Result {
    let copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return try body(copies)
  }

  /// Passes a closure through C.
  private final class Look {
    var body: () -> Void = {}
  }
}

extension TracedProgram.Run.Ending {
  fileprivate init(status: Int32) {
    self = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: status & 0x7F)
  }
}

extension faults_result {
  fileprivate var strikePlace: (call: String, path: String)? {
    guard is_struck != 0 else { return nil }
    return withUnsafePointer(to: self) { result in
      func text<Characters>(_ field: KeyPath<faults_result, Characters>) -> String {
        withUnsafeBytes(of: result.pointee[keyPath: field]) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      }
      return (text(\.call), text(\.path))
    }
  }

  fileprivate var callsByKind: [FaultCall: Int] {
    withUnsafeBytes(of: calls_of_kind) { bytes in
      let counts = bytes.bindMemory(to: Int.self)
      return Dictionary(uniqueKeysWithValues: FaultCall.allCases.map { ($0, counts[$0.bit.trailingZeroBitCount]) })
    }
  }
}
