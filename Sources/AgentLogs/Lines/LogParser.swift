import EpisodicMemory

/// Makes episodes of the records of one log, in the order of its lines.
protocol LogParser {
  /// The member by which records tell their type; empty if every record is read.
  static var discriminator: StaticString { get }

  /// Record types that are read; others are counted and left out.
  static var types: Set<String> { get }

  /// Takes a record of one of the types.
  mutating func read(_ record: JSON.Object, _ type: String, _ counts: inout LogReport.Counts)

  /// Episodes to which nothing can be added any more.
  mutating func takeFinished() -> [LoggedEpisode]

  /// What is left at the end of the log.
  ///
  /// - Parameter isGrowing: Whether the log may still be written.
  mutating func finish(isGrowing: Bool) -> [LoggedEpisode]
}

/// Values of records, whose form a log does not guarantee.
extension JSON.Object {
  func text(_ name: String) -> String? {
    guard case .string(let text)? = self[name], !text.isEmpty else { return nil }
    return text
  }

  /// A name or a version, on one line and of bounded length.
  func name(_ name: String) -> String? {
    text(name).map { $0.onOneLine.cut(toBytes: 256).onOneLine }.flatMap { $0.isEmpty ? nil : $0 }
  }

  func object(_ name: String) -> JSON.Object { self[name]?.members ?? [:] }

  func array(_ name: String) -> [JSON] {
    guard case .array(let elements)? = self[name] else { return [] }
    return elements
  }

  func isTrue(_ name: String) -> Bool { self[name] == true }

  func number(_ name: String) -> Int64? {
    guard let value = self[name]?.double, (0...1e15).contains(value) else { return nil }
    return Int64(value)
  }

  func time(_ name: String) -> Timestamp? { text(name).flatMap { Timestamp($0) } }
}
