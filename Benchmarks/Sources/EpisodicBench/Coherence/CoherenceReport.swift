import Foundation

/// The counts of reads, writes, kills and violations.
struct CoherenceReport: BenchReport {
  /// The target: the share of reads that are hits.
  private static let leastHitShare = 0.6

  /// Hits and misses by the cache's counters over all processes, including recalls and their episodes.
  ///
  /// Killed processes lose their latest counts.
  struct Counted {
    var hits = 0
    var misses = 0
  }

  let benchmark = "coherence"
  let processes: Int
  let seconds: Double
  let starts: Int
  let kills: Int
  /// Reads compared with the state committed before them.
  let reads: Int
  let readsByKind: [String: Int]
  let hits: Int
  let misses: Int
  let hitShare: Double
  let commits: Int
  let commitsByKind: [String: Int]
  let violations: Int
  /// Why the shell did not take part.
  let note: String?
  let failure: String?

  init(seconds: Double, crew: Crew, tallies: SharedTallies, cache: Counted, problems: [String]) {
    processes = crew.size
    self.seconds = seconds
    starts = crew.starts
    kills = crew.kills
    readsByKind = [
      "episodes": tallies[.episodeReads], "own writes": tallies[.ownReads], "guests": tallies[.guestReads],
      "patterns": tallies[.patternReads], "recalls": tallies[.recalls],
    ]
    reads = readsByKind.values.reduce(0, +)
    hits = cache.hits
    misses = cache.misses
    hitShare = Double(hits) / Double(max(1, hits + misses))
    commitsByKind = [
      "sqlite3 shell": crew.shellCommits, "steps": tallies[.steps], "metadata": tallies[.notes],
      "guests": tallies[.guests], "pattern uses": tallies[.patternUses],
    ]
    commits = commitsByKind.values.reduce(0, +)
    violations = tallies[.violations]
    note = crew.whyThereIsNoShell.map { "every write goes through the library: \($0)" }
    var problems = problems
    if violations > 0 { problems.insert("\(violations) reads were older than the last commit", at: 0) }
    if reads == 0 { problems.append("no read was checked") }
    failure = problems.isEmpty ? nil : problems.joined(separator: "; ")
  }

  enum CodingKeys: String, CodingKey {
    case benchmark, processes, seconds, starts, kills, reads, hits, misses, commits, violations, note, failure
    case readsByKind = "reads_by_kind"
    case commitsByKind = "commits_by_kind"
    case hitShare = "hit_share"
  }

  var text: String {
    var table = TextTable(["coherence", "count", ""])
    table.add(["reads checked", reads.grouped, "\(Int(Double(reads) / seconds).grouped)/s"])
    add(readsByKind, to: &table)
    table.add(["hits", hits.grouped, String(format: "%.1f %%", 100 * hitShare)])
    table.add(["misses", misses.grouped])
    table.add(["commits", commits.grouped, "\(Int(Double(commits) / seconds).grouped)/s"])
    add(commitsByKind, to: &table)
    table.add(["processes started", starts.grouped])
    table.add(["kills", kills.grouped])
    table.add(["violations", violations.grouped])
    let isMet = hitShare >= Self.leastHitShare
    return [
      "bench coherence: \(processes) processes, \(String(format: "%.1f", seconds)) s", note, table.text,
      """
      hits and misses are the cache's counters over all processes, without the latest of killed ones
      targets: no violation: \(violations == 0 ? "met" : "MISSED"); \
      hits at least \(Int(100 * Self.leastHitShare)) % of the reads: \(isMet ? "met" : "MISSED")
      """,
    ].compactMap(\.self).joined(separator: "\n\n")
  }

  private func add(_ parts: [String: Int], to table: inout TextTable) {
    for (name, count) in parts.sorted(by: { $0.value > $1.value }) { table.add(["  \(name)", count.grouped]) }
  }
}
