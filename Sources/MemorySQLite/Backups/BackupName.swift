package import EpisodicMemory

/// The name of a backup in a folder: why it was made, the second that it is of, and a number for several of one second.
///
/// `memory-20260131T120000Z.sqlite`, `memory-20260131T120000Z-2.sqlite.gz`, `before-schema-011-20260131T120000Z.sqlite`.
package struct BackupName: Hashable {
  package let kind: Backup.Kind
  package let time: Timestamp
  package let number: Int
  package let compression: Backup.Compression
  /// Without `.sqlite` and `.gz`: what its manifest is named after.
  package let stem: String

  /// - Returns: `nil` for the name of anything else.
  package init?(_ name: String) {
    let form = /(memory|replaced|before-schema-[0-9]{3})-([0-9]{8})T([0-9]{6})Z(?:-([0-9]{1,6}))?\.sqlite(\.gz)?/
    guard let match = name.wholeMatch(of: form), let time = Self.time(match.2, match.3) else { return nil }
    kind =
      switch match.1 {
      case "memory": .backup
      case "replaced": .replaced
      default: .beforeMigration
      }
    self.time = time
    number = match.4.flatMap { Int($0) } ?? 1
    compression = match.5 == nil ? .none : .gzip
    stem = BackupName.stem(of: name)
  }

  /// A path or a name without what says how it is stored.
  package static func stem(of path: String) -> String {
    var stem = path[...]
    for suffix in [".gz", ".sqlite"] where stem.hasSuffix(suffix) { stem = stem.dropLast(suffix.count) }
    return String(stem)
  }

  private static func time(_ day: Substring, _ clock: Substring) -> Timestamp? {
    func part(_ text: Substring, _ from: Int, _ count: Int) -> Substring { text.dropFirst(from).prefix(count) }
    return Timestamp(
      "\(part(day, 0, 4))-\(part(day, 4, 2))-\(part(day, 6, 2))T"
        + "\(part(clock, 0, 2)):\(part(clock, 2, 2)):\(part(clock, 4, 2))Z")
  }
}
