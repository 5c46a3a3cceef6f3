import Episodic
import Foundation

/// A question to a person at a terminal.
enum Confirmation {
  /// - Parameter option: The option that answers it where there is no terminal.
  /// - Throws: `.invalid` if the answer is not yes, or if there is nobody to ask.
  static func require(_ question: String, instead option: String) throws(MemoryError) {
    guard isatty(STDIN_FILENO) == 1, StandardError.isTerminal else {
      throw MemoryError(.invalid, "\(question) there is no terminal to ask; name the whole id, or give \(option)")
    }
    StandardError.ask("\(question) [y/N] ")
    guard let answer = readLine()?.lowercased(), answer == "y" || answer == "yes" else {
      throw MemoryError(.invalid, "nothing was changed; answer y to go on")
    }
  }
}
