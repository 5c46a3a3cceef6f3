import ArgumentParser
import Foundation

/// What every benchmark takes.
struct CommonOptions: ParsableArguments {
  @Option(help: "Where to make the store, in a folder of its own that is removed. Default: the temporary folder.")
  var directory: String?

  @Option(help: "Decides what the episodes say and in which order they are read.")
  var seed: UInt64 = 1

  @Flag(help: "Print one JSON object on standard output, and nothing else there.")
  var json = false

  static func validate(counts: [(name: String, value: Int)]) throws {
    for (name, value) in counts where !(1...1_000_000).contains(value) {
      throw ValidationError("\(name) is \(value); it lies in 1...1000000")
    }
  }

  /// Runs a benchmark in a folder of its own, prints its report, and removes the folder.
  func report(_ measure: (ScratchDirectory) async throws -> some BenchReport) async throws {
    let parent = directory ?? FileManager.default.temporaryDirectory.path(percentEncoded: false)
    let scratch = try ScratchDirectory(in: parent)
    defer { scratch.remove() }
    let interrupt = scratch.removeOnInterrupt()
    defer { interrupt.cancel() }
    let report = try await measure(scratch)
    print(json ? try report.json : report.text)
    if let failure = report.failure {
      FileHandle.standardError.write(Data("bench: \(failure)\n".utf8))
      throw ExitCode(1)
    }
  }
}
