import ArgumentParser
import Episodic

/// The cursor that a list ended with.
enum PageCursor {
  static func parse(_ text: String) throws -> Episode.Page.Cursor {
    guard let cursor = Episode.Page.Cursor(rawValue: text) else {
      throw ValidationError("\"\(text)\" is not a cursor; give the one that the previous list ended with")
    }
    return cursor
  }
}
