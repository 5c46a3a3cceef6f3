import CRawSQLite
import Episodic

/// An episode to read, ready for every side.
struct ReadID {
  let id: Episode.ID
  let raw: raw_text
  /// The key of its bytes in LMDB.
  let hash: UInt64
  private let texts = RawTexts()

  init(_ id: Episode.ID) {
    self.id = id
    raw = texts.text(id.rawValue)
    hash = Self.hash(id)
  }

  /// FNV-1a.
  static func hash(_ id: Episode.ID) -> UInt64 {
    id.rawValue.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
