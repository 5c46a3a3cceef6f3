import Episodic

/// Ids as a table shows them: whole, or the beginning that no other episode's id has.
struct ShownIDs {
  /// Shorter ones look like words.
  private static let shortest = 8

  private var shown: [Episode.ID: String] = [:]

  init(_ ids: [Episode.ID], isShort: Bool, _ memory: Memory) async throws(MemoryError) {
    guard isShort else { return }
    let unique = try await memory.uniqueBeginnings(of: ids)
    for (id, length) in zip(ids, unique) {
      // Characters, so that none is cut in two.
      let text = id.rawValue.prefix(max(Self.shortest, length))
      // A few characters more cost less than a cut that saves nothing.
      shown[id] = text.count + 4 >= id.rawValue.count ? id.rawValue : String(text)
    }
  }

  subscript(id: Episode.ID) -> String { shown[id] ?? id.rawValue }
}
