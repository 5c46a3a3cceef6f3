import CSQLite
package import GRDB
import GRDBSQLite

/// One of FTS5's tokenizers, to cut texts as a full-text table does.
///
/// Not through GRDB's, which ends the process if the connection is interrupted.
package final class TextTokenizer {
  /// What FTS5 keeps of a word, in bytes.
  private static let longestWord = 32_768

  private let tokenizer: OpaquePointer

  /// - Parameter words: Its name, then its arguments.
  /// - Throws: `DatabaseError`.
  package init(_ words: [String], _ db: Database) throws {
    var made: OpaquePointer?
    let code = Self.withCStrings(words) { words in
      episodic_tokenizer_create(db.sqliteConnection, words.baseAddress, CInt(clamping: words.count), &made)
    }
    guard code == SQLITE_OK, let made else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    tokenizer = made
  }

  deinit { episodic_tokenizer_free(tokenizer) }

  /// Calls `body` with each word, folded and stemmed, and its place, counted from 0.
  ///
  /// - Parameter text: UTF-8.
  package func cut(
    _ text: UnsafeRawBufferPointer, _ body: (_ word: UnsafeRawBufferPointer, _ place: UInt32) -> Void
  ) throws {
    guard !text.isEmpty else { return }
    let code = withoutActuallyEscaping(body) { body in
      var listener = Listener(body: body)
      return withUnsafeMutablePointer(to: &listener) { listener in
        episodic_tokenizer_cut(
          tokenizer, text.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(clamping: text.count), listener
        ) { context, word, length in
          context?.assumingMemoryBound(to: Listener.self).pointee.hear(
            UnsafeRawBufferPointer(start: word, count: min(Int(length), TextTokenizer.longestWord)))
        }
      }
    }
    guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
  }

  /// Receives the words of the tokenizer. No two share a position, so each word is at the next one.
  private struct Listener {
    let body: (_ word: UnsafeRawBufferPointer, _ place: UInt32) -> Void
    var place: UInt32 = 0

    mutating func hear(_ word: UnsafeRawBufferPointer) {
      body(word, place)
      place += 1
    }
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
  ) -> Result {
    let copies = strings.map { Array($0.utf8CString) }
    func lend(_ rest: ArraySlice<[CChar]>, _ pointers: [UnsafePointer<CChar>?]) -> Result {
      guard let first = rest.first else { return pointers.withUnsafeBufferPointer(body) }
      return first.withUnsafeBufferPointer { lend(rest.dropFirst(), pointers + [$0.baseAddress]) }
    }
    return lend(copies[...], [])
  }
}
