import Episodic

/// The committed state, by plain SQLite on a separate connection, without a cache.
final class Committed {
  private let episodes: RawQuery
  private let guests: RawQuery
  private let patterns: RawQuery

  init(in folder: String) throws {
    let store = try RawStore(in: folder, durability: .normal)
    episodes = try store.query(
      """
      SELECT CAST(substr(context, instr(context, 'c') + 1) AS INTEGER), json_extract(metadata, '$.n'),
          (SELECT count(*) FROM steps WHERE episode_id = episodes.id)
      FROM episodes WHERE id = ?
      """, columns: 3)
    guests = try store.query(
      """
      SELECT coalesce((SELECT json_extract(metadata, '$.n') FROM episodes WHERE id = ?), -1), seq
      FROM sqlite_sequence WHERE name = 'changes'
      """, columns: 2)
    patterns = try store.query(
      "SELECT usage_count FROM patterns WHERE json_extract(pattern_data, '$.pattern') = CAST(? AS INTEGER)", columns: 1)
  }

  func episode(_ number: Int) throws -> EpisodeVersion {
    guard let row = try episodes.ask(Population.id(number).rawValue) else {
      throw BenchError("\(Population.id(number)) is gone from the primary")
    }
    return EpisodeVersion(shellCount: row[0], metadataCount: row[1], steps: row[2])
  }

  /// The number of the guest, `nil` while it is deleted; and the last revision of the store, in the same snapshot.
  func guest(_ writer: Int) throws -> (number: Int64?, revision: Int64) {
    guard let row = try guests.ask(Population.guestID(writer).rawValue) else {
      throw BenchError("the primary has lost its change feed")
    }
    return (row[0] < 0 ? nil : row[0], row[1])
  }

  func patternUses(_ number: Int) throws -> Int64 {
    guard let row = try patterns.ask("\(number)") else {
      throw BenchError("pattern \(number) is gone from the primary")
    }
    return row[0]
  }
}

/// The counters of an episode, which never decrease.
struct EpisodeVersion: Equatable, CustomStringConvertible {
  let shellCount: Int64
  let metadataCount: Int64
  let steps: Int64

  init(shellCount: Int64, metadataCount: Int64, steps: Int64) {
    self.shellCount = shellCount
    self.metadataCount = metadataCount
    self.steps = steps
  }

  /// Parsed from an episode.
  init(_ episode: Episode) throws {
    let number = episode.context.prefix { $0 != " " }.split(separator: "c").last.flatMap { Int64($0) }
    guard let number, let metadataCount = episode.metadataCount else {
      throw BenchError("\(episode.id) has lost its counters: \"\(episode.context)\", \(episode.metadata)")
    }
    self.init(shellCount: number, metadataCount: metadataCount, steps: Int64(episode.steps.count))
  }

  func isOlder(than other: EpisodeVersion) -> Bool {
    shellCount < other.shellCount || metadataCount < other.metadataCount || steps < other.steps
  }

  var description: String { "shellCount \(shellCount), metadataCount \(metadataCount), steps \(steps)" }
}

extension Episode {
  /// The counter in the metadata.
  var metadataCount: Int64? {
    if case .integer(let metadataCount) = metadata["n"] { metadataCount } else { nil }
  }
}
