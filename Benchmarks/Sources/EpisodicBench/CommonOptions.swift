import ArgumentParser
import Foundation

/// Options of every benchmark.
struct CommonOptions: ParsableArguments {
  @Option(
    help: "The folder in which to create the store's own folder, which is removed. Default: the temporary folder.")
  var directory: String?

  @Option(help: "Seed of the texts of the episodes and of the order of reads.")
  var seed: UInt64 = 1

  @Flag(help: "Print one JSON object on standard output, and nothing else there.")
  var json = false

  static func validate(counts: [(name: String, value: Int)]) throws {
    for (name, value) in counts where !(1...1_000_000).contains(value) {
      throw ValidationError("\(name) is \(value); it must be in 1...1000000")
    }
  }

  /// Runs a benchmark in its own folder, prints its report, and removes the folder.
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

/// Why a benchmark cannot continue.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A progress line on standard error, if that is a terminal.
struct Progress {
  private let isTerminal = isatty(2) == 1

  func show(_ stage: String, _ done: Int, of total: Int) {
    guard isTerminal else { return }
    let share = total > 0 ? 100 * done / total : 100
    FileHandle.standardError.write(Data("\r\u{1B}[K\(stage): \(share) %".utf8))
  }

  func clear() {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }
}
