import ArgumentParser
import Episodic
import Foundation

struct Stats: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Shows what the store holds, and how its episodes went.",
    discussion: """
      Alone it shows the contents of primary, index and cache, and the cache's counters. With --since, --by or --domain it shows \
      figures of the episodes that began in a time: how many, how well they ended, how long their steps took, why they \
      failed. Without --since the time is the last 30 days; --since all begins with the first episode.

      EXAMPLES:
        episodic stats
        episodic stats --json | jq .primary.episodes.failed
        episodic stats --since 30d --by domain
        episodic stats --since 2026-01-01 --until 2026-02-01 --by day --zone Europe/Berlin --json
        episodic stats --since 90d --html report.html
        episodic stats --since 24h --prometheus > /var/lib/node_exporter/episodic.prom

      SUCCESS is the share of the ended episodes that were completed, and its range where the share lies with 95 % \
      confidence (Wilson). STEP TIME is the median, 95 % what 95 of 100 steps do not exceed. A failure is named by the first \
      failed step: its tool and the beginning of its result, numbers as # and paths as <path>.

      RATE is the share of the reads that the cache answered. EXPIRED and STALE are misses whose entry had outlived its time
      or was overtaken by a change; REFUSED were not kept, EVICTED left to make room.
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var past: AnalyticsOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(help: "Print the figures in the text format of Prometheus.")
  var prometheus = false

  @Option(
    help: ArgumentHelp("Write the figures with plots into one HTML file; - is standard output.", valueName: "file"))
  var html: String?

  func validate() throws {
    guard [json, prometheus, html != nil].count(where: { $0 }) <= 1 else {
      throw ValidationError("--json, --prometheus and --html exclude each other; give one")
    }
    guard !past.everywhere || prometheus else {
      throw ValidationError("--everywhere names every domain in the labels of --prometheus; give both")
    }
    if let html {
      try NonUTF8Arguments.refuse(html, as: "--html")
      guard !html.isEmpty else { throw ValidationError("--html is empty; name a file") }
    }
  }

  func run() async throws {
    if past.isAsked || prometheus || html != nil { return try await showPast() }
    let (statistics, learned) = try await store.withMemory { memory in
      (try await memory.statistics(), try await LearnedPatterns(of: memory, in: nil))
    }
    if json {
      StandardOutput.write([
        "primary": statistics.primary.json, "cache": statistics.cache.json, "index": statistics.index.json,
        "learned": learned.json,
      ])
    } else {
      StandardOutput.write(
        [statistics.primary.text(of: store.path) + learned.line, statistics.index.text, statistics.cache.text]
          .joined(separator: "\n\n"))
    }
  }
}

extension Stats {
  private func showPast() async throws {
    let dimension = past.everywhere ? .domain : past.by
    let width = StandardOutput.width
    let (analytics, statistics, ids, learned) = try await store.withMemory(printing: html == nil || html == "-") {
      memory in
      let analytics = try await past.analytics(of: memory, by: dimension)
      let ids = try await ShownIDs(analytics.failures.map(\.newest), isShort: width != nil, memory)
      let learned = try await LearnedPatterns(of: memory, in: past.domain)
      return (analytics, try await memory.statistics(), ids, learned)
    }
    if let html {
      try await OutputFile(argument: html).write(
        AnalyticsPage(analytics, statistics, ledger: ledgerFigures(), learned: learned).text)
    } else if prometheus {
      StandardOutput.write(
        String(
          PrometheusText(analytics, statistics, domains: past.everywhere ? analytics.groups : []).text.dropLast()))
    } else if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      let text = String(decoding: try encoder.encode(analytics), as: UTF8.self)
      StandardOutput.write(try JSON(text: text))
    } else {
      StandardOutput.write(AnalyticsText(analytics: analytics, width: width, ids: ids).text)
    }
  }
}

extension Stats {
  /// Of the ledger of the store; `nil` if it has none, or if the figures are those of one domain.
  private func ledgerFigures() async throws -> LedgerFigures? {
    guard past.domain == nil, FileManager.default.fileExists(atPath: "\(store.path)/\(Ledger.fileName)") else {
      return nil
    }
    return try await store.withLedger(printing: html == "-") { ledger in
      try await LedgerFigures(ledger, over: nil, in: past.timeZone)
    }
  }
}

extension PrimaryStatistics {
  fileprivate var json: JSON {
    let statuses = Episode.Status.allCases.map { ($0.rawValue, JSON.integer(Int64(episodes[$0] ?? 0))) }
    return [
      "episodes": .object(JSON.Object(statuses)), "steps": .integer(Int64(steps)),
      "patterns": .integer(Int64(patterns)), "domains": .integer(Int64(domains)), "bytes": .integer(bytes),
      "revision": .integer(watermark.revision), "schema_version": .integer(Int64(schemaVersion)),
      "spaces": .array(
        spaces.map {
          [
            "model": .string($0.model), "dimensions": .integer(Int64($0.dimensions)),
            "vectors": .integer(Int64($0.vectors)),
          ]
        }),
    ]
  }

  fileprivate func text(of path: String) -> String {
    let total = episodes.values.reduce(0, +)
    let statuses = Episode.Status.allCases.compactMap { status in
      episodes[status].flatMap { $0 > 0 ? "\($0) \(status.rawValue)" : nil }
    }
    var lines = [
      "primary   \(path.onOneLine), \(bytes.asBytes), schema \(schemaVersion), revision \(watermark.revision)",
      "episodes  \(total)\(statuses.isEmpty ? "" : " (\(statuses.joined(separator: ", ")))")",
      "steps     \(steps)", "domains   \(domains)", "patterns  \(patterns)",
    ]
    for space in spaces {
      lines.append("vectors   \(space.vectors) of \(space.model.onOneLine), \(space.dimensions) dimensions")
    }
    return lines.joined(separator: "\n")
  }
}

extension IndexStatistics {
  fileprivate var json: JSON {
    [
      "available": .bool(unavailable == nil), "unavailable": unavailable.map(JSON.string) ?? .null,
      "unavailable_since": time(unavailableSince), "next_attempt": time(nextAttempt),
      "not_writable": notWritable.map(JSON.string) ?? .null, "not_writable_since": time(notWritableSince),
      "built": .bool(isBuilt), "revision": watermark.map { .integer($0.revision) } ?? .null,
      "vectors": .integer(Int64(vectors)), "vector_bytes": .integer(Int64(vectorBytes)),
      "documents": .integer(Int64(documents)), "word_bytes": .integer(Int64(wordBytes)),
      "file_bytes": .integer(fileBytes),
    ]
  }

  fileprivate var text: String {
    if let unavailable { return "index     none\(since(unavailableSince)): \(unavailable.onOneLine)" }
    let state = notWritable.map { "\nindex     not written\(since(notWritableSince)): \($0.onOneLine)" } ?? ""
    guard let watermark else {
      return "index     not built yet; the next recall builds it, or episodic rebuild\(state)"
    }
    return """
      index     revision \(watermark.revision), \(fileBytes.asBytes)
      indexed   \(counted(vectors, "vector")) in \(Int64(vectorBytes).asBytes), \
      \(counted(documents, "text")) in \(Int64(wordBytes).asBytes)\(state)
      """
  }
}

extension CacheStatistics {
  fileprivate var json: JSON {
    let kinds = CacheStatistics.Kind.allCases.map { ($0.name, self[$0].json) }
    return [
      "available": .bool(unavailable == nil), "unavailable": unavailable.map(JSON.string) ?? .null,
      "unavailable_since": time(unavailableSince), "next_attempt": time(nextAttempt),
      "not_writable": notWritable.map(JSON.string) ?? .null, "not_writable_since": time(notWritableSince),
      "capacity": .integer(Int64(capacity)),
      "maximum_entries": maximumEntries.map { .integer(Int64($0)) } ?? .null, "failures": .integer(Int64(failures)),
      "kinds": .object(JSON.Object(kinds)),
    ]
  }

  fileprivate var text: String {
    if let unavailable { return "cache     none\(since(unavailableSince)): \(unavailable.onOneLine)" }
    let state = notWritable.map { "\ncache     not written\(since(notWritableSince)): \($0.onOneLine)" } ?? ""
    var table = Table(
      [.init("KEY")]
        + ["ENTRIES", "BYTES", "HITS", "MISSES", "RATE", "FILLS"].map { Table.Column($0, isNumber: true) }
        + ["EVICTED", "EXPIRED", "STALE", "REFUSED"].enumerated().map {
          Table.Column($1, isNumber: true, rank: $0 + 1)
        })
    for kind in CacheStatistics.Kind.allCases {
      let counts = self[kind]
      let numbers = [counts.fills, counts.evicted, counts.expired, counts.stale, counts.refused].map(String.init)
      let cells =
        [kind.name, "\(counts.entries)", Int64(counts.bytes).asBytes, "\(counts.hits)", "\(counts.misses)"]
        + [percent(counts.hitRate)] + numbers
      table.add(cells.map { Table.Cell($0) })
    }
    let failed = failures > 0 ? ", \(counted(failures, "failure"))" : ""
    let entries = maximumEntries.map { ", at most \($0) entries" } ?? ""
    return
      "cache     capacity \(Int64(capacity).asBytes)\(entries)\(failed)\(state)\n\(table.text(width: StandardOutput.width))"
  }
}

extension CacheStatistics.Counts {
  fileprivate var json: JSON {
    let counts: [(String, Int)] = [
      ("hits", hits), ("misses", misses), ("expired", expired), ("stale", stale), ("fills", fills),
      ("refused", refused), ("evicted", evicted), ("entries", entries), ("bytes", bytes),
    ]
    var members = JSON.Object(counts.map { ($0, JSON.integer(Int64($1))) })
    members["hit_rate"] = hitRate.map(JSON.number) ?? .null
    return .object(members)
  }
}

private func time(_ time: Timestamp?) -> JSON { time.map { .string($0.description) } ?? .null }

private func since(_ time: Timestamp?) -> String { time.map { " since \($0.description)" } ?? "" }

/// `-` before the first read.
private func percent(_ rate: Double?) -> String {
  rate.map { "\(Double(Int(($0 * 1000).rounded())) / 10) %" } ?? "-"
}

extension Int64 {
  /// `512 B`, `12 KiB`, `1.5 MiB`.
  fileprivate var asBytes: String {
    if self < 1024 { return "\(self) B" }
    if self < 1 << 20 { return "\(self >> 10) KiB" }
    return "\(Double((self * 10) >> 20) / 10) MiB"
  }
}
