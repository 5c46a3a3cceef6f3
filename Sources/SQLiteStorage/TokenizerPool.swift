public import GRDB
import Synchronization

/// Tokenizers that are not in use: making one costs as much as cutting a hundred words.
public final class TokenizerPool: Sendable {
  // Unchecked because a tokenizer belongs to no connection and is lent to one user at a time.
  private struct Idle: @unchecked Sendable { var tokenizers: [TextTokenizer] = [] }

  private let words: [String]
  private let idle = Mutex(Idle())

  /// - Parameter words: The tokenizer's name, then its arguments.
  public init(_ words: [String]) { self.words = words }

  /// Takes one, or makes one where all are in use.
  public func take(_ db: Database) throws -> TextTokenizer {
    let taken = idle.withLock { idle in Idle(tokenizers: idle.tokenizers.popLast().map { [$0] } ?? []) }
    return try taken.tokenizers.first ?? TextTokenizer(words, db)
  }

  public func putBack(_ tokenizer: TextTokenizer) {
    let back = Idle(tokenizers: [tokenizer])
    idle.withLock { $0.tokenizers += back.tokenizers }
  }
}
