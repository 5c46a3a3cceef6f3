import EpisodicMemory
import SQLiteStorage

extension SQLiteSnapshot {
  func words(
    of text: UnsafeRawBufferPointer, _ body: (_ word: UnsafeRawBufferPointer, _ place: UInt32) -> Void
  ) throws(MemoryError) {
    try reading {
      let tokenizer = try kept.tokenizer ?? tokenizers.take(db)
      kept.tokenizer = tokenizer
      try tokenizer.cut(text, body)
    }
  }
}
