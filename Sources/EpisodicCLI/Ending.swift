import ArgumentParser
import Episodic
import Foundation

/// How the command ends after an error: one line on standard error for each thing that is wrong, and the exit code.
struct Ending {
  let lines: [String]
  let code: Int32
  /// Help and version are asked for in the form of an error, and belong on standard output.
  private let answer: String?

  init(of error: any Error) {
    switch error {
    case let code as ExitCode:
      self.init(lines: [], code: code.rawValue)
    case let error as MemoryError:
      // One bad line is in the message itself; of several, each has its own.
      let rejected = (error.cause as? RejectedLines)?.lines ?? []
      let each = rejected.count > 1 ? rejected.map(\.description) : []
      let last =
        each.isEmpty ? error.message : "nothing was imported; correct the lines, or leave them out with --keep-going"
      self.init(lines: each + [last], code: Self.code(for: error.code))
    default:
      switch EpisodicCommand.exitCode(for: error) {
      case .success: self.init(lines: [], code: 0, answer: EpisodicCommand.fullMessage(for: error))
      case .validationFailure: self.init(lines: [Self.usage(error)], code: 2)
      default: self.init(lines: ["\(error)"], code: 3)
      }
    }
  }

  private init(lines: [String], code: Int32, answer: String? = nil) {
    self.lines = lines
    self.code = code
    self.answer = answer
  }

  func exit() -> Never {
    if let answer { StandardOutput.write(answer) }
    for line in lines { StandardError.write("episodic: \(line.onOneLine)") }
    Foundation.exit(code)
  }

  /// What a code of the library means to whoever called the command.
  private static func code(for code: MemoryError.Code) -> Int32 {
    switch code {
    case .notFound: 1
    case .invalid, .conflict, .dimensionMismatch: 2
    default: 3
    }
  }

  /// What the argument parser has to say, and where help is.
  private static func usage(_ error: any Error) -> String {
    let message = EpisodicCommand.message(for: error)
    let names = EpisodicCommand.configuration.subcommands.map { $0._commandName }
    let subcommand = CommandLine.arguments.dropFirst().first { names.contains($0) }
    return "\(message); see episodic \(subcommand.map { "\($0) " } ?? "")--help"
  }
}
