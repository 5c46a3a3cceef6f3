import Episodic

/// Figures in the text format of Prometheus, version 0.0.4: units are seconds, bytes and ratios.
struct PrometheusText {
  private struct Family {
    enum Kind: String { case counter, gauge, summary }

    let name: String
    let kind: Kind
    let help: String
    var lines: [String] = []
  }

  private var families: [Family] = []

  /// - Parameter domains: Figures of each domain that is named in a label.
  init(_ analytics: Analytics, _ statistics: MemoryStatistics, domains: [Analytics.Group]) {
    window(analytics)
    let labels = analytics.domain.map { [("domain", $0)] } ?? []
    // Either the total or its parts, so that a sum over the label is right; the rest of many domains has no name.
    let parts = domains.map { (labels: $0.merged > 1 ? [] : [("domain", $0.name)], figures: $0.figures) }
    episodes(parts.isEmpty ? [(labels, analytics.total)] : parts)
    tools(analytics.tools, labels)
    failures(analytics.failures, labels)
    guard analytics.domain == nil else { return }
    store(statistics)
    cache(statistics.cache)
  }

  /// With a line end.
  var text: String {
    families.filter { !$0.lines.isEmpty }.map { family in
      let help = family.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
      return "# HELP \(family.name) \(help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
        + family.lines.map { $0 + "\n" }.joined()
    }.joined()
  }

  // MARK: Families

  private mutating func window(_ analytics: Analytics) {
    add("episodic_window_start_seconds", .gauge, "Where the time of the figures begins, in seconds since 1970.") {
      $0.sample(value: seconds(analytics.since.milliseconds))
    }
    add("episodic_window_end_seconds", .gauge, "Where the time of the figures ends, in seconds since 1970.") {
      $0.sample(value: seconds(analytics.until.milliseconds))
    }
  }

  private typealias Labelled = (labels: [(String, String)], figures: Analytics.Figures)

  private mutating func episodes(_ groups: [Labelled]) {
    add("episodic_episodes", .gauge, "Episodes that began in the time, by status.") { samples in
      for group in groups {
        for status in Episode.Status.allCases {
          samples.sample(
            group.labels + [("status", status.rawValue)], value: "\(group.figures.episodes[status])")
        }
      }
    }
    let rates: [(String, String, (Analytics.SuccessRate) -> Double)] = [
      ("", "Share of the ended episodes that ended well.", { $0.rate }),
      ("_lower", "Lower bound of the success ratio with 95 % confidence.", { $0.low }),
      ("_upper", "Upper bound of the success ratio with 95 % confidence.", { $0.high }),
    ]
    for (suffix, help, value) in rates {
      add("episodic_success_ratio\(suffix)", .gauge, help) { samples in
        for group in groups {
          if let success = group.figures.success { samples.sample(group.labels, value: "\(value(success))") }
        }
      }
    }
    add("episodic_steps", .gauge, "Steps of the episodes that began in the time.") { samples in
      for group in groups { samples.sample(group.labels, value: "\(group.figures.steps)") }
    }
    add("episodic_failed_steps", .gauge, "Failed steps of the episodes that began in the time.") { samples in
      for group in groups { samples.sample(group.labels, value: "\(group.figures.failedSteps)") }
    }
    add("episodic_steps_per_episode", .summary, "Steps per episode.") { samples in
      for group in groups {
        if let steps = group.figures.stepsPerEpisode { samples.summary(steps, group.labels) { "\($0)" } }
      }
    }
    add("episodic_step_duration_seconds", .summary, "Duration of the steps whose duration is known.") { samples in
      for group in groups {
        if let time = group.figures.stepTime { samples.summary(time, group.labels, seconds) }
      }
    }
  }

  private mutating func tools(_ tools: [Analytics.Group], _ labels: [(String, String)]) {
    let tools = tools.filter { $0.merged == 1 }.map { (labels: labels + [("tool", $0.name)], figures: $0.figures) }
    add("episodic_tool_episodes", .gauge, "Episodes with a step of the tool.") { samples in
      for tool in tools { samples.sample(tool.labels, value: "\(tool.figures.episodes.total)") }
    }
    add("episodic_tool_steps", .gauge, "Steps of the tool.") { samples in
      for tool in tools { samples.sample(tool.labels, value: "\(tool.figures.steps)") }
    }
    add("episodic_tool_failed_steps", .gauge, "Failed steps of the tool.") { samples in
      for tool in tools { samples.sample(tool.labels, value: "\(tool.figures.failedSteps)") }
    }
    add("episodic_tool_step_duration_seconds", .summary, "Duration of the steps of the tool.") { samples in
      for tool in tools {
        if let time = tool.figures.stepTime { samples.summary(time, tool.labels, seconds) }
      }
    }
  }

  private mutating func failures(_ failures: [Analytics.Failure], _ labels: [(String, String)]) {
    var byTool: [(tool: String, episodes: Int)] = []
    for failure in failures {
      let tool = failure.tool ?? ""
      if let index = byTool.firstIndex(where: { $0.tool == tool }) {
        byTool[index].episodes += failure.episodes
      } else {
        byTool.append((tool, failure.episodes))
      }
    }
    add("episodic_failed_episodes", .gauge, "Failed episodes by the tool of the first failed step; none: empty.") {
      for failure in byTool { $0.sample(labels + [("tool", failure.tool)], value: "\(failure.episodes)") }
    }
  }

  private mutating func store(_ statistics: MemoryStatistics) {
    add("episodic_store_bytes", .gauge, "Size of the primary with its log, and of the index; entries of the cache.") {
      $0.sample([("tier", "primary")], value: "\(statistics.primary.bytes)")
      $0.sample([("tier", "index")], value: "\(statistics.index.fileBytes)")
      let cached = CacheStatistics.Kind.allCases.reduce(0) { $0 + statistics.cache[$1].bytes }
      $0.sample([("tier", "cache")], value: "\(cached)")
    }
    add("episodic_stored_steps", .gauge, "Steps in the store.") { $0.sample(value: "\(statistics.primary.steps)") }
    add("episodic_stored_patterns", .gauge, "Patterns in the store.") {
      $0.sample(value: "\(statistics.primary.patterns)")
    }
    add("episodic_stored_episodes", .gauge, "Episodes in the store.") {
      $0.sample(value: "\(statistics.primary.episodes.values.reduce(0, +))")
    }
  }

  private mutating func cache(_ cache: CacheStatistics) {
    guard cache.unavailable == nil else { return }
    let counters: [(String, String, (CacheStatistics.Counts) -> Int)] = [
      ("hits", "Reads that the cache answered since its files were made.", { $0.hits }),
      ("misses", "Reads that the cache could not answer.", { $0.misses }),
      ("fills", "Values stored after a miss.", { $0.fills }),
      ("evictions", "Entries removed to make room.", { $0.evicted }),
    ]
    for (name, help, value) in counters {
      add("episodic_cache_\(name)_total", .counter, help) { samples in
        for kind in CacheStatistics.Kind.allCases {
          samples.sample([("kind", kind.name)], value: "\(value(cache[kind]))")
        }
      }
    }
    add("episodic_cache_entries", .gauge, "Entries of the cache.") { samples in
      for kind in CacheStatistics.Kind.allCases {
        samples.sample([("kind", kind.name)], value: "\(cache[kind].entries)")
      }
    }
    add("episodic_cache_failures_total", .counter, "Reads and writes of the cache that failed and counted as misses.") {
      $0.sample(value: "\(cache.failures)")
    }
  }

  // MARK: Writing

  private mutating func add(_ name: String, _ kind: Family.Kind, _ help: String, _ fill: (inout Samples) -> Void) {
    var samples = Samples(name: name)
    fill(&samples)
    families.append(Family(name: name, kind: kind, help: help, lines: samples.lines))
  }

  private struct Samples {
    let name: String
    var lines: [String] = []

    mutating func sample(_ labels: [(String, String)] = [], suffix: String = "", value: String) {
      lines.append("\(name)\(suffix)\(Self.braces(labels)) \(value)")
    }

    mutating func summary(
      _ quantiles: Analytics.Quantiles, _ labels: [(String, String)], _ value: (Int64) -> String
    ) {
      sample(labels + [("quantile", "0.5")], value: value(quantiles.median))
      sample(labels + [("quantile", "0.95")], value: value(quantiles.p95))
      sample(labels, suffix: "_sum", value: value(quantiles.sum))
      sample(labels, suffix: "_count", value: "\(quantiles.count)")
    }

    private static func braces(_ labels: [(String, String)]) -> String {
      guard !labels.isEmpty else { return "" }
      let pairs = labels.map { name, value in
        let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        return "\(name)=\"\(escaped)\""
      }
      return "{\(pairs.joined(separator: ","))}"
    }
  }
}

/// Milliseconds as seconds.
private func seconds(_ milliseconds: Int64) -> String { "\(Double(milliseconds) / 1000)" }
