import Episodic
import Foundation

/// Figures as one HTML page: plots in SVG with their numbers in tables behind them. It loads nothing and runs no script.
struct AnalyticsPage {
  let analytics: Analytics
  let statistics: MemoryStatistics
  /// Of the ledger beside the memory, if there is one.
  let ledger: LedgerFigures?
  let learned: LearnedPatterns
  let labels: SeriesLabels

  init(
    _ analytics: Analytics, _ statistics: MemoryStatistics, ledger: LedgerFigures? = nil,
    learned: LearnedPatterns = LearnedPatterns([])
  ) {
    self.learned = learned
    self.analytics = analytics
    self.statistics = statistics
    self.ledger = ledger
    labels = SeriesLabels(analytics)
  }

  var text: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <meta name="referrer" content="no-referrer">
    <meta name="color-scheme" content="light dark">
    <title>Episodic: \(place.html), \(period.html)</title>
    <style>
    \(PageStyle.css)
    </style>
    </head>
    <body>
    <main>
    \(header)
    \(tiles)
    <div class="cards">
    \(cards.joined(separator: "\n"))
    </div>
    <footer>Episodes that began from \(exact(analytics.since)) until \(exact(analytics.until)), \
    \(analytics.timeZone.html). Every episode and step of that time is counted; success ranges are Wilson intervals of 95 %.</footer>
    </main>
    </body>
    </html>

    """
  }

  private var place: String { analytics.domain ?? "All domains" }

  private var period: String {
    let last = Timestamp(milliseconds: analytics.until.milliseconds - 1)
    let (from, to) = (labels.date(analytics.since), labels.date(last))
    return from == to ? from : "\(from) – \(to)"
  }

  private func exact(_ time: Timestamp) -> String {
    var format = TimeFormat()
    format.zone = TimeZone(identifier: analytics.timeZone) ?? .gmt
    return format.exact(time).html
  }

  private var header: String {
    """
    <header>
    <p class="eyebrow">Episodic memory</p>
    <h1><bdi>\(place.html)</bdi></h1>
    <p class="period">\(period.html)</p>
    </header>
    """
  }

  // MARK: Tiles

  private var tiles: String {
    let (total, series) = (analytics.total, analytics.series.map(\.figures))
    var tiles = [
      tile(
        "Episodes", Shown.count(total.episodes.total),
        total.episodes.active > 0 ? "\(Shown.count(total.episodes.active)) still active" : "none is active",
        Plot.trend(series.map { Double($0.episodes.total) }, "ink")),
      tile(
        "Success", Shown.percent(total.success?.rate),
        total.success.map { "\($0.interval) of \(Shown.count($0.count)) ended" } ?? "none has ended",
        Plot.trend(series.map { $0.success?.rate }, highest: 1, "good")),
      tile(
        "Step time", total.stepTime.map { Shown.duration($0.median) } ?? "–",
        total.stepTime.map { "95 % within \(Shown.duration($0.p95))" } ?? "not known",
        Plot.trend(series.map { $0.stepTime.map { Double($0.median) } }, "accent")),
      tile(
        "Steps per episode", total.stepsPerEpisode.map { Shown.grouped(Int($0.median)) } ?? "–",
        total.stepsPerEpisode.map { "95 % within \(Shown.grouped(Int($0.p95)))" } ?? "no episode",
        Plot.trend(series.map { $0.stepsPerEpisode.map { Double($0.median) } }, "accent")),
    ]
    let hours = cacheRates
    if let rate = hours.rate {
      tiles.append(
        tile(
          "Cache hits", Shown.percent(rate), "of \(Shown.count(hours.reads)) reads",
          Plot.trend(hours.rates.map(\.rate), highest: 1, "accent")))
    }
    return "<section class=\"tiles\" aria-label=\"Summary\">\n\(tiles.joined(separator: "\n"))\n</section>"
  }

  private func tile(_ name: String, _ value: String, _ note: String, _ trend: String) -> String {
    """
    <div class="tile"><h2>\(name.html)</h2><p class="value">\(value.html)</p><p class="note">\(note.html)</p>\(trend)</div>
    """
  }

  // MARK: Cards

  private var cards: [String] {
    [
      episodesCard, successCard, stepTimeCard, groupsCard, failuresCard, toolsCard, patternsCard, learnedCard,
      cacheCard, hoursCard,
      sizesCard,
    ].compactMap(\.self) + ledgerCards
  }

  func card(
    _ title: String, _ note: String, wide: Bool = false, legend: [(name: String, style: String)] = [], _ body: String,
    table: PageTable? = nil
  ) -> String {
    let keys = legend.map { "<li><i class=\"\($0.style)\"></i>\($0.name.html)</li>" }.joined()
    return """
      <section class="card\(wide ? " wide" : "")">
      <div class="head"><div><h2>\(title.html)</h2><p class="note">\(note.html)</p></div>\
      \(keys.isEmpty ? "" : "<ul class=\"legend\">\(keys)</ul>")</div>
      \(body)
      \(table.map { "<details><summary>Numbers</summary><div class=\"scroll\">\($0.html)</div></details>" } ?? "")
      </section>
      """
  }

  /// A plot that keeps its size on a narrow screen, where it scrolls.
  func figure(_ plot: Plot) -> String {
    "<div class=\"scroll\" style=\"--least:\(Int(min(plot.width, 560)))px\">\(plot.svg)</div>"
  }

  private static let statuses: [(status: Episode.Status, name: String, style: String)] = [
    (.completed, "Completed", "completed"), (.failed, "Failed", "failed"), (.active, "Active", "active"),
    (.archived, "Archived", "archived"),
  ]

  private var names: [String] { analytics.series.map { labels.short($0.start) } }

  private var episodesCard: String {
    let series = analytics.series
    let shown = Self.statuses.filter { analytics.total.episodes[$0.status] > 0 }
    var plot = Plot(
      "Episodes per \(analytics.interval) by status", width: 1000, height: 230,
      highest: Double(series.map(\.figures.episodes.total).max() ?? 0), count: series.count
    ) { Shown.count(Int($0)) }
    plot.stacks(
      series.map { point in shown.map { (Double(point.figures.episodes[$0.status]), $0.style) } }
    ) { index in
      let episodes = series[index].figures.episodes
      let parts = shown.filter { episodes[$0.status] > 0 }.map { "\(episodes[$0.status]) \($0.status.rawValue)" }
      return "\(labels.long(series[index].start)): \(parts.joined(separator: ", "))"
    }
    plot.names(names)
    var table = PageTable([analytics.interval.title] + shown.map(\.name) + ["All"])
    for point in series where point.figures.episodes.total > 0 {
      table.add(
        [labels.long(point.start)] + shown.map { "\(point.figures.episodes[$0.status])" }
          + ["\(point.figures.episodes.total)"])
    }
    return card(
      "Episodes per \(analytics.interval)", "By where they stand now", wide: true,
      legend: shown.map { ($0.name, $0.style) }, figure(plot), table: table)
  }

  private var successCard: String {
    let series = analytics.series
    let rates = series.map { $0.figures.success }
    var plot = Plot(
      "Success rate per \(analytics.interval) with its range", width: 480, height: 220, highest: 1, count: series.count,
      scale: [0, 0.25, 0.5, 0.75, 1]
    ) { "\(Int($0 * 100)) %" }
    plot.band(rates.map { $0?.low }, rates.map { $0?.high }, "good")
    plot.line(rates.map { $0?.rate }, "good")
    plot.dots(rates.map { $0?.rate }, "good") { index in
      let rate = rates[index]
      return
        "\(labels.long(series[index].start)): \(Shown.percent(rate?.rate)), \(rate?.interval ?? ""), of \(rate?.count ?? 0)"
    }
    plot.names(names)
    var table = PageTable([analytics.interval.title, "Ended", "Successes", "Success", "95 % range"])
    for point in series {
      guard let rate = point.figures.success else { continue }
      table.add([
        labels.long(point.start), "\(rate.count)", "\(rate.successes)", Shown.percent(rate.rate), rate.interval,
      ])
    }
    return card(
      "Success rate", "Of the ended episodes, with its 95 % range", figure(plot),
      table: table)
  }

  private var stepTimeCard: String? {
    let series = analytics.series
    let times = series.map { $0.figures.stepTime }
    guard let total = analytics.total.stepTime else { return nil }
    let (low, high) = (times.compactMap { $0?.median }.min() ?? 0, times.compactMap { $0?.p95 }.max() ?? total.p95)
    // Decades: the median and the slowest lie far apart.
    let lowest = log10(Double(max(1, low))).rounded(.down)
    let highest = max(lowest + 1, log10(Double(max(1, high))).rounded(.up))
    func place(_ value: Int64?) -> Double? { value.map { log10(Double(max(1, $0))) - lowest } }
    var plot = Plot(
      "Median and 95th percentile of the step time per \(analytics.interval)", width: 480, height: 220,
      highest: highest - lowest, count: series.count, scale: (0...Int(highest - lowest)).map(Double.init)
    ) { Shown.decade($0 + lowest) }
    let note = { (index: Int) in
      let time = times[index]
      return
        "\(labels.long(series[index].start)): median \(Shown.duration(time?.median ?? 0)), 95 % within \(Shown.duration(time?.p95 ?? 0))"
    }
    plot.line(times.map { place($0?.p95) }, "warm")
    plot.dots(times.map { place($0?.p95) }, "warm", note: note)
    plot.line(times.map { place($0?.median) }, "accent")
    plot.dots(times.map { place($0?.median) }, "accent", note: note)
    plot.names(names)
    var table = PageTable([analytics.interval.title, "Steps timed", "Median", "95 % within"])
    for point in series {
      guard let time = point.figures.stepTime else { continue }
      table.add([
        labels.long(point.start), Shown.grouped(time.count), Shown.duration(time.median), Shown.duration(time.p95),
      ])
    }
    return card(
      "Step time",
      "Of \(Shown.count(total.count)) steps, on a logarithmic scale",
      legend: [("Median", "accent"), ("95th percentile", "warm")], figure(plot), table: table)
  }

  private var groupsCard: String? {
    guard let dimension = analytics.dimension, dimension != .tool, dimension != .day, !analytics.groups.isEmpty else {
      return nil
    }
    return card(
      dimension == .domain ? "Domains" : "Tasks", "By their number of episodes", wide: true,
      GroupTable(analytics.groups, name: dimension == .domain ? "Domain" : "Task").html)
  }

  private var toolsCard: String? {
    guard !analytics.tools.isEmpty else { return nil }
    return card(
      "Tools", "An episode counts for each tool that its steps used", wide: true,
      GroupTable(analytics.tools, name: "Tool").html)
  }
}

extension Analytics.Interval {
  fileprivate var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}
