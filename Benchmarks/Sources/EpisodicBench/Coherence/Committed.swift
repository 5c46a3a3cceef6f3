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
    return EpisodeVersion(told: row[0], noted: row[1], steps: row[2])
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
  let told: Int64
  let noted: Int64
  let steps: Int64

  init(told: Int64, noted: Int64, steps: Int64) {
    self.told = told
    self.noted = noted
    self.steps = steps
  }

  /// Parsed from an episode.
  init(_ episode: Episode) throws {
    let number = episode.context.prefix { $0 != " " }.split(separator: "c").last.flatMap { Int64($0) }
    guard let number, let noted = episode.noted else {
      throw BenchError("\(episode.id) has lost its counters: \"\(episode.context)\", \(episode.metadata)")
    }
    self.init(told: number, noted: noted, steps: Int64(episode.steps.count))
  }

  func isOlder(than other: EpisodeVersion) -> Bool {
    told < other.told || noted < other.noted || steps < other.steps
  }

  var description: String { "told \(told), noted \(noted), steps \(steps)" }
}

extension Episode {
  /// The counter in the metadata.
  var noted: Int64? {
    if case .integer(let noted) = metadata["n"] { noted } else { nil }
  }
}
