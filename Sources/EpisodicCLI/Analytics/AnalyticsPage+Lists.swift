import Episodic
import Foundation

/// The cards of lists, of the cache, of the hours and of the sizes.
extension AnalyticsPage {
  var failuresCard: String? {
    guard !analytics.failures.isEmpty else { return nil }
    let most = analytics.failures.map(\.episodes).max() ?? 1
    var table = PageTable(["First failed step", "Tool", "Episodes", "Newest"], texts: [0, 1, 3], widest: 0)
    for failure in analytics.failures {
      let message =
        failure.merged > 1
        ? "\(failure.merged) other kinds"
        : failure.message.map { $0.isEmpty ? "No result" : $0 } ?? "No failed step"
      let isPlain = failure.merged > 1 || failure.message?.isEmpty ?? true
      table.add(cells: [
        .init(message, style: isPlain ? "faint" : "code"), .init(failure.tool ?? "–"),
        .init(Shown.grouped(failure.episodes), share: Double(failure.episodes) / Double(most), style: "failed"),
        .init(labels.date(failure.newestAt)),
      ])
    }
    return card(
      "Why episodes failed", "By the first failed step: numbers are #, paths are <path>", wide: true,
      "<div class=\"scroll\">\(table.html)</div>")
  }

  var patternsCard: String? {
    guard !analytics.patterns.isEmpty else { return nil }
    let most = analytics.patterns.map(\.pattern.usageCount).max() ?? 1
    var table = PageTable(["Pattern", "Type", "Used", "Episodes", "Success"], texts: [0, 1], widest: 0)
    for use in analytics.patterns {
      let data = use.pattern.data.canonicalText
      table.add(cells: [
        .init(data.count > 160 ? data.prefix(159) + "…" : data, style: "code"), .init(use.pattern.type.rawValue),
        .init(
          Shown.grouped(Int(use.pattern.usageCount)), share: Double(use.pattern.usageCount) / Double(max(1, most)),
          style: "accent"),
        .init(Shown.grouped(use.episodes)), .init(Shown.percent(use.pattern.successRate)),
      ])
    }
    let more = analytics.otherPatterns > 0 ? "; \(Shown.grouped(analytics.otherPatterns)) more" : ""
    return card(
      "Patterns", "Used in this time or part of its episodes, most used first\(more)", wide: true,
      "<div class=\"scroll\">\(table.html)</div>")
  }

  var learnedCard: String? {
    let patterns = learned.distinct
    guard !patterns.isEmpty else { return nil }
    var table = PageTable(["Pattern", "", "Succeeded", "Expected", "Tasks", "Grade"], texts: [0, 1, 5], widest: 0)
    for pattern in patterns.prefix(20) {
      let (evidence, helps) = (pattern.evidence, pattern.direction == .prefer)
      table.add(cells: [
        .init(pattern.key.text, style: "code"), .init(helps ? "helps" : "harms"),
        .init(
          "\(Shown.grouped(evidence.observed)) of \(Shown.grouped(evidence.runs))",
          share: Double(evidence.observed) / Double(max(1, evidence.runs)), style: helps ? "good" : "failed"),
        .init(Shown.grouped(Int(evidence.expected.rounded()))), .init(Shown.grouped(pattern.tasks)),
        .init(pattern.grade.rawValue),
      ])
    }
    return card(
      "What was learned", "Beyond chance, the most certain first; expected as the other runs at the same step",
      wide: true,
      "<div class=\"scroll\">\(table.html)</div>")
  }

  // MARK: The cache

  /// By the hour; in a long time by parts of it.
  var cacheRates: (rate: Double?, reads: Int, rates: [(start: Timestamp, rate: Double?, reads: Int)]) {
    guard let first = analytics.cache.first?.start, let last = analytics.cache.last?.start else { return (nil, 0, []) }
    let hour: Int64 = 3_600_000
    let hours = Int((last.milliseconds - first.milliseconds) / hour) + 1
    let width = max(1, (hours + 167) / 168)
    var counts = [(hits: Int, reads: Int)](repeating: (0, 0), count: (hours + width - 1) / width)
    for entry in analytics.cache {
      let index = Int((entry.start.milliseconds - first.milliseconds) / hour) / width
      counts[index].hits += entry.hits
      counts[index].reads += entry.hits + entry.misses
    }
    func rate(_ hits: Int, _ reads: Int) -> Double? { reads > 0 ? Double(hits) / Double(reads) : nil }
    let (hits, reads) = (counts.reduce(0) { $0 + $1.hits }, counts.reduce(0) { $0 + $1.reads })
    return (
      rate(hits, reads), reads,
      counts.enumerated().map { index, count in
        (
          Timestamp(milliseconds: first.milliseconds + Int64(index * width) * hour), rate(count.hits, count.reads),
          count.reads
        )
      }
    )
  }

  var cacheCard: String? {
    let cache = cacheRates
    guard cache.rate != nil else { return nil }
    var plot = Plot(
      "Cache hit rate over time", width: 480, height: 220, highest: 1, count: cache.rates.count,
      scale: [0, 0.25, 0.5, 0.75, 1]
    ) { "\(Int($0 * 100)) %" }
    plot.line(cache.rates.map(\.rate), "accent")
    plot.dots(cache.rates.map(\.rate), "accent") { index in
      let part = cache.rates[index]
      return "\(labels.hour(part.start)): \(Shown.percent(part.rate)) of \(Shown.grouped(part.reads)) reads"
    }
    plot.names(cache.rates.map { labels.hour($0.start) }, every: max(1, (cache.rates.count + 3) / 4))
    var table = PageTable(["From", "Reads", "Hits"])
    for part in cache.rates where part.reads > 0 {
      table.add([labels.hour(part.start), Shown.grouped(part.reads), Shown.percent(part.rate)])
    }
    return card("Cache hit rate", "Of all reads in all processes, by the hour", figure(plot), table: table)
  }

  // MARK: Hours

  private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

  var hoursCard: String? {
    let most = analytics.hours.joined().max() ?? 0
    guard most > 0 else { return nil }
    let (cell, row, left, top) = (18.0, 26.0, 34.0, 4.0)
    var content = ""
    for (day, hours) in analytics.hours.enumerated() {
      let y = top + Double(day) * row
      content += "<text class=\"tick\" x=\"26\" y=\"\(Shown.coordinate(y + row / 2 - 1))\" dy=\".32em\" "
      content += "text-anchor=\"end\">\(Self.weekdays[day])</text>"
      for (hour, count) in hours.enumerated() {
        // The eye tells five shades apart.
        let shade = count == 0 ? 0 : 1 + min(4, count * 5 / (most + 1))
        content += "<rect class=\"heat h\(shade)\" x=\"\(Shown.coordinate(left + Double(hour) * cell))\" "
        content += "y=\"\(Shown.coordinate(y))\" width=\"16\" height=\"24\" rx=\"3\">"
        content += "<title>\(Self.weekdays[day]) \(hour):00: \(counted(count, "episode"))</title></rect>"
      }
    }
    for hour in stride(from: 0, to: 24, by: 3) {
      content += "<text class=\"tick\" x=\"\(Shown.coordinate(left + Double(hour) * cell + 8))\" y=\"204\" "
      content += "text-anchor=\"middle\">\(hour)</text>"
    }
    var table = PageTable(["Hour"] + Self.weekdays)
    for hour in 0..<24 where analytics.hours.contains(where: { $0[hour] > 0 }) {
      table.add(["\(hour):00"] + analytics.hours.map { "\($0[hour])" })
    }
    let svg = """
      <div class="scroll" style="--least:440px"><svg viewBox="0 0 474 212" role="img" aria-label="Episodes by weekday and \
      hour">\(content)</svg></div>
      """
    return card("Busiest hours", "Episodes begun, by weekday and hour, \(analytics.timeZone)", svg, table: table)
  }

  // MARK: Sizes

  var sizesCard: String? {
    guard analytics.domain == nil else { return nil }
    let cached = Int64(CacheStatistics.Kind.allCases.reduce(0) { $0 + statistics.cache[$1].bytes })
    let parts: [(name: String, bytes: Int64, style: String, note: String)] = [
      ("Primary", statistics.primary.bytes, "accent", "kept"), ("Index", statistics.index.fileBytes, "good", "derived"),
      ("Cache entries", cached, "active", "derived"),
    ]
    let total = max(1, parts.reduce(0) { $0 + $1.bytes })
    let bars = parts.filter { $0.bytes > 0 }.map {
      "<i class=\"\($0.style)\" style=\"flex-grow:\(max(1, $0.bytes * 1000 / total))\"></i>"
    }
    let facts: [(name: String, value: String)] =
      parts.map { ("\($0.name), \($0.note)", Shown.bytes($0.bytes)) } + [
        ("Episodes", Shown.grouped(statistics.primary.episodes.values.reduce(0, +))),
        ("Steps", Shown.grouped(statistics.primary.steps)), ("Patterns", Shown.grouped(statistics.primary.patterns)),
        ("Vectors", Shown.grouped(statistics.primary.spaces.reduce(0) { $0 + $1.vectors })),
      ]
    let list = facts.map { "<div><dt>\($0.name.html)</dt><dd>\($0.value.html)</dd></div>" }.joined()
    return card(
      "Store", "What it holds now; derived files may be deleted at any time", wide: true,
      legend: parts.map { ($0.name, $0.style) },
      "<div class=\"sizes\" role=\"img\" aria-label=\"Sizes of the files\">\(bars.joined())</div><dl>\(list)</dl>")
  }
}

/// A table of a page.
struct PageTable {
  struct Cell {
    let text: String
    /// Of a bar behind the number, 0...1.
    var share: Double?
    var style = ""

    init(_ text: String, share: Double? = nil, style: String = "") {
      (self.text, self.share, self.style) = (text, share, style)
    }
  }

  private let columns: [String]
  private let texts: Set<Int>
  private let widest: Int?
  private var rows = ""

  /// - Parameter texts: The columns that are no numbers.
  /// - Parameter widest: The column whose text is broken if there is no room.
  init(_ columns: [String], texts: Set<Int> = [0], widest: Int? = nil) {
    (self.columns, self.texts, self.widest) = (columns, texts, widest)
  }

  mutating func add(_ cells: [String]) { add(cells: cells.map { Cell($0) }) }

  mutating func add(cells: [Cell]) {
    rows += "<tr>"
    for (index, cell) in cells.enumerated() {
      let styles = [texts.contains(index) ? "" : "number", index == widest ? "widest" : ""].filter { !$0.isEmpty }
      let attribute = styles.isEmpty ? "" : " class=\"\(styles.joined(separator: " "))\""
      let tag = index == 0 ? "th" : "td"
      rows += "<\(tag)\(attribute)\(index == 0 ? " scope=\"row\"" : "")>"
      if let share = cell.share {
        let width = Shown.coordinate(max(0, min(1, share)) * 100)
        rows +=
          "<span class=\"bar\"><i class=\"\(cell.style)\" style=\"width:\(width)%\"></i></span><b>\(cell.text.html)</b>"
      } else {
        rows +=
          cell.style.isEmpty ? "<bdi>\(cell.text.html)</bdi>" : "<bdi class=\"\(cell.style)\">\(cell.text.html)</bdi>"
      }
      rows += "</\(tag)>"
    }
    rows += "</tr>"
  }

  var html: String {
    let head = columns.enumerated().map { index, name in
      "<th scope=\"col\"\(texts.contains(index) ? "" : " class=\"number\"")>\(name.html)</th>"
    }
    return "<table><thead><tr>\(head.joined())</tr></thead><tbody>\(rows)</tbody></table>"
  }
}

/// The figures of groups as a table.
struct GroupTable {
  private let groups: [Analytics.Group]
  private let name: String

  init(_ groups: [Analytics.Group], name: String) { (self.groups, self.name) = (groups, name) }

  var html: String {
    let most = groups.map(\.figures.episodes.total).max() ?? 1
    var table = PageTable(
      [name, "Episodes", "Failed", "Success", "95 % range", "Steps", "Failed steps", "Step time", "95 % within"],
      widest: 0)
    for group in groups {
      let figures = group.figures
      table.add(cells: [
        .init(group.merged > 1 ? "\(group.merged) others" : group.name, style: group.merged > 1 ? "faint" : ""),
        .init(
          Shown.grouped(figures.episodes.total), share: Double(figures.episodes.total) / Double(max(1, most)),
          style: "accent"),
        .init(Shown.grouped(figures.episodes.failed)), .init(Shown.percent(figures.success?.rate)),
        .init(figures.success?.interval ?? "–", style: "faint"), .init(Shown.grouped(figures.steps)),
        .init(Shown.grouped(figures.failedSteps)), .init(figures.stepTime.map { Shown.duration($0.median) } ?? "–"),
        .init(figures.stepTime.map { Shown.duration($0.p95) } ?? "–"),
      ])
    }
    return "<div class=\"scroll\">\(table.html)</div>"
  }
}
