import ArgumentParser
import Episodic
import Foundation

/// The output of a failed command: one line on standard error for each problem, and the exit code.
struct ExitReport {
  let lines: [String]
  let code: Int32
  /// Help, the version, or a completion script, which the parser throws as errors and which go to standard output.
  private let help: String?

  init(_ error: any Error) {
    switch error {
    case let code as ExitCode:
      self.init(lines: [], code: code.rawValue)
    case let error as MemoryError:
      // The message names a single bad line itself; of several, each gets a line.
      let rejected = (error.cause as? RejectedLines)?.lines ?? []
      let each = rejected.count > 1 ? rejected.map(\.description) : []
      let last =
        each.isEmpty ? error.message : "nothing was imported; correct the lines, or leave them out with --keep-going"
      self.init(lines: each + [last], code: Self.code(for: error.code))
    default:
      switch EpisodicCommand.exitCode(for: error) {
      case .success: self.init(lines: [], code: 0, help: EpisodicCommand.fullMessage(for: error))
      case .validationFailure: self.init(lines: [Self.usage(error)], code: 2)
      default: self.init(lines: ["\(error)"], code: 3)
      }
    }
  }

  private init(lines: [String], code: Int32, help: String? = nil) {
    self.lines = lines
    self.code = code
    self.help = help
  }

  /// - Parameter isQuiet: Whether the code is 0 in any case.
  func exit(isQuiet: Bool = false) -> Never {
    if let help { StandardOutput.write(help) }
    for line in lines { StandardError.write("episodic: \(line.inCommandTerms.onOneLine)") }
    Foundation.exit(isQuiet ? 0 : code)
  }

  /// The exit code for an error of the library.
  private static func code(for code: MemoryError.Code) -> Int32 {
    switch code {
    case .notFound: 1
    case .invalid, .conflict, .dimensionMismatch, .limitExceeded, .keyMissing, .keyWrong: 2
    default: 3
    }
  }

  /// The argument parser's message, and the command that shows help.
  private static func usage(_ error: any Error) -> String {
    let verb = VerbSuggestion(Array(CommandLine.arguments.dropFirst()))
    return "\(verb.message ?? EpisodicCommand.message(for: error)); see episodic \(verb.path)--help"
  }
}
