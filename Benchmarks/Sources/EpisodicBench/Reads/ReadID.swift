import CRawSQLite
import Episodic

/// An episode to read, ready for both sides.
struct ReadID {
  let id: Episode.ID
  let raw: raw_text
  private let texts = RawTexts()

  init(_ id: Episode.ID) {
    self.id = id
    raw = texts.text(id.rawValue)
  }
}
