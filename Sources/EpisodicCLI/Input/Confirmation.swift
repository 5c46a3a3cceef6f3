import Episodic
import Foundation

/// A question to a person at a terminal.
enum Confirmation {
  /// - Parameter option: The option that answers it where there is no terminal.
  /// - Throws: `.invalid` if the answer is not yes, or if there is nobody to ask.
  /// - Parameter remedy: What else makes the question unnecessary.
  static func require(
    _ question: String, instead option: String, or remedy: String = "name the whole id, or "
  ) throws(MemoryError) {
    guard isatty(STDIN_FILENO) == 1, StandardError.isTerminal else {
      throw MemoryError(.invalid, "\(question) there is no terminal to ask; \(remedy)give \(option)")
    }
    StandardError.ask("\(question) [y/N] ")
    guard let answer = readLine()?.lowercased(), answer == "y" || answer == "yes" else {
      throw MemoryError(.invalid, "nothing was changed; answer y to go on")
    }
  }
}
