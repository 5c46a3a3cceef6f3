import EpisodicMemory
import SQLiteStorage

extension SQLiteSnapshot {
  /// As migration 003 declares it for the full-text indexes.
  private static let textIndexTokenizer = ["porter", "unicode61", "remove_diacritics", "2"]

  func words(
    of text: UnsafeRawBufferPointer, _ body: (_ word: UnsafeRawBufferPointer, _ place: UInt32) -> Void
  ) throws(MemoryError) {
    try reading { try tokenizer().cut(text, body) }
  }

  private func tokenizer() throws -> TextTokenizer {
    if let made = kept.tokenizer { return made }
    let made = try TextTokenizer(Self.textIndexTokenizer, db)
    kept.tokenizer = made
    return made
  }
}
