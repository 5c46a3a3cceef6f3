import Episodic
import Foundation

/// Figures as text for people.
struct AnalyticsText {
  let analytics: Analytics
  let width: Int?
  /// How the newest failures are named.
  let ids: ShownIDs
  var sparkline = Sparkline()

  /// Columns of a series: what the names, the numbers and the notes beside it leave.
  private var seriesWidth: Int { max(8, min(40, (width ?? 120) - 66)) }

  var text: String {
    var sections = [heading, overview]
    if let groups = groups(analytics.groups, analytics.dimension?.heading ?? "") { sections.append(groups) }
    if analytics.dimension != .tool, let tools = groups(analytics.tools, "TOOL") { sections.append(tools) }
    sections += [failures, patterns, busiestHours].compactMap(\.self)
    return sections.joined(separator: "\n\n")
  }

  private var heading: String {
    var format = TimeFormat()
    format.zone = TimeZone(identifier: analytics.timeZone) ?? .current
    let place = analytics.domain.map { "domain \($0.onOneLine)" } ?? "every domain"
    let times = [analytics.since, analytics.until].map { format.exact($0).prefix(16) }
    return TextStyle.bold.applied(
      to: fitted("\(place), \(times[0]) to \(times[1]) \(analytics.timeZone), by \(analytics.interval)"))
  }

  private func fitted(_ line: String) -> String { width.map { line.fitted(to: $0) } ?? line }

  // MARK: Overview

  private var overview: String {
    let (total, series) = (analytics.total, analytics.series.map(\.figures))
    var table = Table([.init(""), .init("", isNumber: true), .init("", rank: 2), .init("", isText: true, rank: 1)])
    let statuses = Episode.Status.allCases.compactMap { status in
      total.episodes[status] > 0 ? "\(total.episodes[status]) \(status.rawValue)" : nil
    }
    table.add([
      "episodes", .init("\(total.episodes.total)"),
      .init(sparkline.counts(series.map(\.episodes.total), width: seriesWidth)),
      .init(statuses.joined(separator: ", ")),
    ])
    table.add([
      "success", .init(percent(total.success?.rate)),
      .init(sparkline.values(series.map { $0.success?.rate }, highest: 1, width: seriesWidth)),
      .init(total.success.map { "\($0.interval), \($0.successes) of \($0.count) that ended" } ?? "none has ended"),
    ])
    table.add([
      "steps", .init("\(total.steps)"), .init(sparkline.counts(series.map(\.steps), width: seriesWidth)),
      .init(
        total.stepsPerEpisode.map { "median \($0.median) an episode, 95 % at most \($0.p95)" } ?? "no episode"),
    ])
    table.add([
      "failed steps", .init("\(total.failedSteps)"),
      .init(sparkline.counts(series.map(\.failedSteps), width: seriesWidth)),
      .init(total.steps > 0 ? "\(percent(Double(total.failedSteps) / Double(total.steps))) of the steps" : ""),
    ])
    table.add([
      "step time", .init(total.stepTime.map { duration($0.median) } ?? "-"),
      .init(sparkline.values(series.map { $0.stepTime.map { Double($0.median) } }, width: seriesWidth)),
      .init(total.stepTime.map { "median; 95 % at most \(duration($0.p95)), of \($0.count)" } ?? "not known"),
    ])
    if let cache {
      table.add([
        "cache", .init(percent(cache.rate)), .init(sparkline.values(cache.hours, highest: 1, width: seriesWidth)),
        .init("\(cache.hits) of \(cache.reads) reads"),
      ])
    }
    // The head has no names.
    return table.text(width: width).split(separator: "\n", omittingEmptySubsequences: false).dropFirst().map(
      \.trimmedEnd
    )
    .joined(separator: "\n")
  }

  private var cache: (rate: Double, hits: Int, reads: Int, hours: [Double?])? {
    let hits = analytics.cache.reduce(0) { $0 + $1.hits }
    let reads = hits + analytics.cache.reduce(0) { $0 + $1.misses }
    guard reads > 0 else { return nil }
    var hours: [Timestamp: (hits: Int, reads: Int)] = [:]
    for hour in analytics.cache {
      hours[hour.start, default: (0, 0)].hits += hour.hits
      hours[hour.start, default: (0, 0)].reads += hour.hits + hour.misses
    }
    let rates = hours.sorted { $0.key < $1.key }.map { _, hour in
      hour.reads > 0 ? Double(hour.hits) / Double(hour.reads) : nil
    }
    return (Double(hits) / Double(reads), hits, reads, rates)
  }

  // MARK: Groups

  private func groups(_ groups: [Analytics.Group], _ name: String) -> String? {
    guard !groups.isEmpty else { return nil }
    var table = Table([
      .init(name, isText: true), .init("EPISODES", isNumber: true), .init("FAILED", isNumber: true, rank: 5),
      .init("SUCCESS", isNumber: true), .init("95 % RANGE", isNumber: true, rank: 4), .init("STEPS", isNumber: true),
      .init("FAILED STEPS", isNumber: true, rank: 6), .init("STEP TIME", isNumber: true, rank: 2),
      .init("95 %", isNumber: true, rank: 3),
    ])
    for group in groups {
      let figures = group.figures
      table.add([
        .init(group.merged > 1 ? "\(group.merged) others" : group.name, group.merged > 1 ? .faint : nil),
        .init("\(figures.episodes.total)"),
        .init("\(figures.episodes.failed)", figures.episodes.failed > 0 ? .red : nil),
        .init(percent(figures.success?.rate)), .init(figures.success?.interval ?? "-", .faint),
        .init("\(figures.steps)"), .init("\(figures.failedSteps)"),
        .init(figures.stepTime.map { duration($0.median) } ?? "-"),
        .init(figures.stepTime.map { duration($0.p95) } ?? "-"),
      ])
    }
    return table.text(width: width)
  }

  // MARK: Lists

  private var failures: String? {
    guard !analytics.failures.isEmpty else { return nil }
    var table = Table([
      .init("FAILURES", isNumber: true), .init("TOOL"), .init("FIRST FAILED STEP", isText: true),
      .init("NEWEST", rank: 1),
    ])
    for failure in analytics.failures {
      let isRest = failure.merged > 1
      table.add([
        .init("\(failure.episodes)", .red), .init(failure.tool ?? "-"),
        .init(
          isRest ? "\(failure.merged) other kinds" : failure.message.map { $0.isEmpty ? "no result" : $0 } ?? "none",
          isRest || failure.message == nil ? .faint : nil),
        .init(ids[failure.newest], .faint),
      ])
    }
    return table.text(width: width)
  }

  private var patterns: String? {
    guard !analytics.patterns.isEmpty else { return nil }
    var table = Table([
      .init("USED", isNumber: true), .init("EPISODES", isNumber: true), .init("SUCCESS", isNumber: true),
      .init("PATTERN", isText: true), .init("TYPE", rank: 2), .init("ID", rank: 1),
    ])
    for use in analytics.patterns {
      table.add([
        .init("\(use.pattern.usageCount)"), .init("\(use.episodes)"), .init(percent(use.pattern.successRate)),
        .init(String(use.pattern.data.canonicalText.prefix(300))), .init(use.pattern.type.rawValue),
        .init(use.pattern.id.rawValue, .faint),
      ])
    }
    let more = analytics.otherPatterns > 0 ? "\n\(analytics.otherPatterns) more" : ""
    return table.text(width: width) + more
  }

  private var busiestHours: String? {
    let hours = (0..<24).map { hour in analytics.hours.reduce(0) { $0 + $1[hour] } }
    guard let most = hours.max(), most > 0, let busiest = hours.firstIndex(of: most) else { return nil }
    return fitted("BEGUN BY HOUR  \(sparkline.counts(hours))  most at \(busiest):00: \(counted(most, "episode"))")
  }
}

extension Analytics.Dimension {
  fileprivate var heading: String { rawValue.uppercased() }
}

extension Analytics.Episodes {
  subscript(status: Episode.Status) -> Int {
    switch status {
    case .active: active
    case .completed: completed
    case .failed: failed
    case .archived: archived
    }
  }
}

extension Analytics.SuccessRate {
  /// `75 to 88 %`.
  var interval: String { "\(Int((low * 100).rounded())) to \(Int((high * 100).rounded())) %" }
}

extension Substring {
  fileprivate var trimmedEnd: String {
    String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
  }
}

/// `-` for none.
private func percent(_ rate: Double?) -> String { Shown.percent(rate, none: "-") }

private func duration(_ milliseconds: Int64) -> String { Duration.milliseconds(milliseconds).displayText }
