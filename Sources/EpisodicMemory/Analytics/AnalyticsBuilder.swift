import Foundation

/// Counts what a store lends, row by row: first each episode, then its steps, then what failed.
package struct AnalyticsBuilder {
  private struct Placed {
    let point: Int
    /// In `groups`; -1 for none.
    let group: Int
    var steps = 0
    let status: Episode.Status
    let isSuccess: Bool?
  }

  private struct FailureKey: Hashable {
    let tool: String?
    let message: String?
  }

  private struct FailureCount {
    var episodes = 0
    var newest: Episode.ID
    var newestAt: Timestamp
  }

  private let request: AnalyticsRequest
  private let since: Timestamp
  private let intervals: CalendarIntervals
  private var placed: [Placed] = []
  private var total = FigureCounts()
  private var points: [FigureCounts]
  private var groups = NamedCounts()
  private var tools = NamedCounts()
  private var failures: [FailureKey: FailureCount] = [:]
  private var hours: WeekHours
  /// The episode whose steps are being added, and how many of each tool it has.
  private var current = -1
  private var currentTools: [Int: Int] = [:]

  /// - Parameter since: Where the time begins.
  /// - Throws: `.limitExceeded` for too many days.
  package init(_ request: AnalyticsRequest, since: Timestamp) throws(MemoryError) {
    self.request = request
    self.since = since
    intervals = try CalendarIntervals(
      since, request.until, in: request.timeZone, dividesIntoDays: request.dimension == .day)
    points = Array(repeating: FigureCounts(), count: intervals.starts.count)
    hours = WeekHours(zone: request.timeZone)
  }

  /// How many episodes were added, which are numbered from 0.
  package var episodeCount: Int { placed.count }

  package mutating func addEpisode(
    domain: String, taskType: String, status: Episode.Status, successRate: Double?, createdAt: Timestamp
  ) {
    let isSuccess: Bool? =
      switch status {
      case .completed: true
      case .failed: false
      case .archived: successRate.map { $0 >= 0.5 }
      case .active: nil
      }
    let point = intervals.index(of: createdAt)
    let group =
      switch request.dimension {
      case .domain: groups.index(of: domain)
      case .task: groups.index(of: taskType)
      case .day, .tool, nil: -1
      }
    placed.append(Placed(point: point, group: group, status: status, isSuccess: isSuccess))
    total.addEpisode(status, isSuccess: isSuccess)
    points[point].addEpisode(status, isSuccess: isSuccess)
    if group >= 0 { groups.counts[group].addEpisode(status, isSuccess: isSuccess) }
    hours.add(createdAt)
  }

  /// Adds a step. The steps of an episode come one after another.
  ///
  /// - Parameter episode: Its number.
  package mutating func addStep(
    ofEpisode episode: Int, tool: String?, milliseconds: Int64?, success: Bool?
  ) {
    if episode != current {
      endEpisode()
      current = episode
    }
    placed[episode].steps += 1
    total.addStep(milliseconds: milliseconds, success: success)
    points[placed[episode].point].addStep(milliseconds: milliseconds, success: success)
    let group = placed[episode].group
    if group >= 0 { groups.counts[group].addStep(milliseconds: milliseconds, success: success) }
    guard let tool else { return }
    let index = tools.index(of: tool)
    currentTools[index, default: 0] += 1
    tools.counts[index].addStep(milliseconds: milliseconds, success: success)
  }

  private mutating func endEpisode() {
    guard current >= 0 else { return }
    let episode = placed[current]
    for (tool, steps) in currentTools {
      tools.counts[tool].addEpisode(episode.status, isSuccess: episode.isSuccess)
      tools.counts[tool].addSteps(perEpisode: steps)
    }
    currentTools.removeAll(keepingCapacity: true)
    current = -1
  }

  /// Adds a failed episode.
  ///
  /// - Parameter step: Its first failed step; `nil` if it has none.
  package mutating func addFailure(
    of id: Episode.ID, createdAt: Timestamp, step: (tool: String?, result: String?)?
  ) {
    let key = FailureKey(tool: step?.tool, message: step.map { FailureMessage.normalized($0.result ?? "") })
    var count = failures[key] ?? FailureCount(newest: id, newestAt: createdAt)
    count.episodes += 1
    if createdAt >= count.newestAt { (count.newest, count.newestAt) = (id, createdAt) }
    failures[key] = count
  }

  /// - Parameter patterns: Most used first.
  package mutating func finish(
    patterns: [Analytics.PatternUse], otherPatterns: Int, cache: [Analytics.CacheHour]
  ) -> Analytics {
    endEpisode()
    for episode in placed {
      total.addSteps(perEpisode: episode.steps)
      points[episode.point].addSteps(perEpisode: episode.steps)
      if episode.group >= 0 { groups.counts[episode.group].addSteps(perEpisode: episode.steps) }
    }
    let series = zip(intervals.starts, points).map { Analytics.Point(start: $0, figures: $1.figures) }
    let tools = tools.rows
    let groups =
      switch request.dimension {
      case .domain, .task: groups.rows
      case .day:
        series.indices.map {
          Analytics.Group(name: intervals.day($0), merged: 1, figures: series[$0].figures)
        }
      case .tool: tools
      case nil: [Analytics.Group]()
      }
    let domain: String? = if case .domain(let name) = request.scope { name.canonicallyComposed } else { nil }
    return Analytics(
      since: since, until: request.until, timeZone: request.timeZone.identifier, domain: domain, total: total.figures,
      dimension: request.dimension, groups: groups, interval: intervals.interval, series: series, tools: tools,
      failures: failureRows, patterns: patterns, otherPatterns: otherPatterns, hours: hours.counts, cache: cache)
  }

  private var failureRows: [Analytics.Failure] {
    let sorted = failures.sorted { a, b in
      if a.value.episodes != b.value.episodes { return a.value.episodes > b.value.episodes }
      if a.value.newestAt != b.value.newestAt { return a.value.newestAt > b.value.newestAt }
      return (a.key.tool ?? "", a.key.message ?? "") < (b.key.tool ?? "", b.key.message ?? "")
    }
    let shown = sorted.count > Analytics.mostRows + 1 ? Analytics.mostRows : sorted.count
    var rows = sorted.prefix(shown).map { key, count in
      Analytics.Failure(
        tool: key.tool, message: key.message, merged: 1, episodes: count.episodes, newest: count.newest,
        newestAt: count.newestAt)
    }
    let rest = sorted.dropFirst(shown).map(\.value)
    if let newest = rest.max(by: { $0.newestAt < $1.newestAt }) {
      rows.append(
        Analytics.Failure(
          tool: nil, message: nil, merged: rest.count, episodes: rest.reduce(0) { $0 + $1.episodes },
          newest: newest.newest, newestAt: newest.newestAt))
    }
    return rows
  }
}

/// Figures by name.
private struct NamedCounts {
  private var indices: [String: Int] = [:]
  private var names: [String] = []
  var counts: [FigureCounts] = []

  mutating func index(of name: String) -> Int {
    if let index = indices[name] { return index }
    let index = names.count
    indices[name] = index
    names.append(name)
    counts.append(FigureCounts())
    return index
  }

  /// Most episodes first; those behind the 20th in one row, unless it is only one.
  var rows: [Analytics.Group] {
    let order = names.indices.sorted { a, b in
      let (first, second) = (counts[a].episodes.total, counts[b].episodes.total)
      return first == second ? names[a] < names[b] : first > second
    }
    let shown = order.count > Analytics.mostRows + 1 ? Analytics.mostRows : order.count
    var rows = order.prefix(shown).map { Analytics.Group(name: names[$0], merged: 1, figures: counts[$0].figures) }
    let rest = order.dropFirst(shown)
    guard !rest.isEmpty else { return rows }
    var sum = FigureCounts()
    for index in rest { sum.add(counts[index]) }
    rows.append(Analytics.Group(name: Analytics.nameOfRest, merged: rest.count, figures: sum.figures))
    return rows
  }
}
