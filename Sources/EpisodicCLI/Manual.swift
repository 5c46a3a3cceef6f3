import ArgumentParser
import Episodic
import Foundation

/// Writes the manual pages; for the installation, and so not in the list of commands.
struct Manual: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual",
    abstract: "Writes the manual pages into a directory.",
    discussion: """
      EXAMPLES:
        episodic manual /usr/local/share/man/man1
      """,
    shouldDisplay: false)

  @Argument(help: ArgumentHelp("An existing directory.", valueName: "dir"))
  var directory: String

  func validate() throws { try NonUTF8Arguments.refuse(directory, as: "the directory") }

  func run() async throws {
    for page in ManualPage.pages(of: try Self.command()) {
      let path = "\(directory)/\(page.name).1"
      do {
        try page.text.write(toFile: path, atomically: true, encoding: .utf8)
      } catch {
        throw MemoryError(.unavailable, "cannot write \(path): \(error.localizedDescription); name another directory")
      }
    }
  }

  /// The root command as the parser describes it.
  static func command() throws(MemoryError) -> JSON {
    let dump = try JSON(text: EpisodicCommand._dumpHelp())
    guard let command = dump["command"] else {
      throw MemoryError(.unavailable, "the argument parser describes no command; this is a fault of the program")
    }
    return command
  }
}
