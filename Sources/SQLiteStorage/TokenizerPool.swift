package import GRDB
import Synchronization

/// Tokenizers that are not in use: making one costs as much as splitting off 100 words.
package final class TokenizerPool: Sendable {
  // Unchecked because a tokenizer belongs to no connection and is lent to one user at a time.
  private struct Idle: @unchecked Sendable { var tokenizers: [TextTokenizer] = [] }

  private let words: [String]
  private let idle = Mutex(Idle())

  /// - Parameter words: The tokenizer's name, then its arguments.
  package init(_ words: [String]) { self.words = words }

  /// Takes one, or makes one if all are in use.
  package func take(_ db: Database) throws -> TextTokenizer {
    let taken = idle.withLock { idle in Idle(tokenizers: idle.tokenizers.popLast().map { [$0] } ?? []) }
    return try taken.tokenizers.first ?? TextTokenizer(words, db)
  }

  package func putBack(_ tokenizer: TextTokenizer) {
    let back = Idle(tokenizers: [tokenizer])
    idle.withLock { $0.tokenizers += back.tokenizers }
  }
}
