import Foundation

/// A plot as SVG: an area with a scale of values at its left and names below.
struct Plot {
  let width: Double
  let height: Double
  /// Of the area, from the edges.
  private let left, right, top, bottom: Double
  private let title: String
  /// The value at the top of the area; at its bottom is 0.
  private let highest: Double
  private let count: Int
  private var content = ""

  /// - Parameter title: What it shows, for those who do not see it.
  /// - Parameter count: How many places the values have side by side.
  /// - Parameter format: The name of a value on the scale.
  init(
    _ title: String, width: Double, height: Double, highest: Double, count: Int,
    scale: [Double]? = nil, format: (Double) -> String
  ) {
    (self.title, self.width, self.height, self.count) = (title, width, height, max(1, count))
    (left, right, top, bottom) = (48, 8, 12, 26)
    let ticks = scale ?? Self.ticks(to: highest)
    self.highest = max(ticks.last ?? 1, highest > 0 ? highest : 1)
    for tick in ticks {
      let y = Shown.coordinate(y(tick))
      content += "<line class=\"grid\" x1=\"\(Shown.coordinate(left))\" x2=\"\(Shown.coordinate(width - right))\" "
      content += "y1=\"\(y)\" y2=\"\(y)\"/>"
      content += "<text class=\"tick\" x=\"\(Shown.coordinate(left - 8))\" y=\"\(y)\" dy=\".32em\" text-anchor=\"end\">"
      content += "\(format(tick).html)</text>"
    }
  }

  /// Whole round values from 0 to the highest or just above: four or five.
  static func ticks(to highest: Double) -> [Double] {
    guard highest > 0, highest.isFinite else { return [0, 1] }
    let least = max(1, highest / 4)
    let magnitude = pow(10, log10(least).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= least } ?? least
    return (0...max(1, Int((highest / step).rounded(.up)))).map { Double($0) * step }
  }

  // MARK: Places

  private var slot: Double { (width - left - right) / Double(count) }

  /// The middle of a place.
  func x(_ index: Int) -> Double { left + slot * (Double(index) + 0.5) }

  func y(_ value: Double) -> Double {
    height - bottom - (height - top - bottom) * min(1, max(0, value / highest))
  }

  // MARK: Drawing

  /// Names below the area, as many as fit.
  mutating func names(_ names: [String], every step: Int? = nil) {
    let most = max(2, Int((width - left - right) / 76))
    let step = step ?? max(1, (names.count + most - 1) / most)
    for index in stride(from: 0, to: names.count, by: step) {
      content += "<text class=\"tick\" x=\"\(Shown.coordinate(x(index)))\" y=\"\(Shown.coordinate(height - 8))\" "
      content += "text-anchor=\"middle\">\(names[index].html)</text>"
    }
  }

  /// Parts on top of each other at each place.
  ///
  /// - Parameter note: What a pointer over the place shows.
  mutating func stacks(_ stacks: [[(value: Double, style: String)]], note: (Int) -> String) {
    let bar = min(34, max(1, slot * 0.72))
    for (index, stack) in stacks.enumerated() {
      guard stack.contains(where: { $0.value > 0 }) else { continue }
      content += "<g><title>\(note(index).html)</title>"
      var base = 0.0
      for part in stack where part.value > 0 {
        let (low, high) = (y(base), y(base + part.value))
        content += "<rect class=\"\(part.style)\" x=\"\(Shown.coordinate(x(index) - bar / 2))\" "
        content += "y=\"\(Shown.coordinate(high))\" width=\"\(Shown.coordinate(bar))\" "
        content += "height=\"\(Shown.coordinate(max(0.5, low - high)))\"/>"
        base += part.value
      }
      content += "</g>"
    }
  }

  /// A line through the values; a gap where there is none.
  mutating func line(_ values: [Double?], _ style: String) {
    for run in runs(values) {
      let points = run.map { "\(Shown.coordinate(x($0.index))),\(Shown.coordinate(y($0.value)))" }
      content += "<polyline class=\"line \(style)\" points=\"\(points.joined(separator: " "))\"/>"
    }
  }

  /// The area between two lines.
  mutating func band(_ low: [Double?], _ high: [Double?], _ style: String) {
    for run in runs(zip(low, high).map { $0 == nil || $1 == nil ? nil : $0 }) {
      let lower = run.map { ($0.index, low[$0.index] ?? 0) }
      let upper = run.map { ($0.index, high[$0.index] ?? 0) }.reversed()
      // A single value has a width, too.
      let reach = run.count == 1 ? min(8, slot / 2) : 0
      let points = (lower + upper).map { index, value in (x(index), value) }
      let first = points.prefix(lower.count), last = points.suffix(lower.count)
      let outline =
        first.map { ($0.0 - reach, $0.1) } + (reach > 0 ? first.map { ($0.0 + reach, $0.1) } : [])
        + last.map { ($0.0 + reach, $0.1) } + (reach > 0 ? last.map { ($0.0 - reach, $0.1) } : [])
      let text = outline.map { "\(Shown.coordinate($0.0)),\(Shown.coordinate(y($0.1)))" }
      content += "<polygon class=\"band \(style)\" points=\"\(text.joined(separator: " "))\"/>"
    }
  }

  /// A dot at each value, with what a pointer over it shows.
  mutating func dots(_ values: [Double?], _ style: String, note: (Int) -> String) {
    let radius = slot > 14 ? 3.0 : slot > 6 ? 2 : 1.2
    for (index, value) in values.enumerated() {
      guard let value else { continue }
      content += "<circle class=\"\(style)\" cx=\"\(Shown.coordinate(x(index)))\" cy=\"\(Shown.coordinate(y(value)))\" "
      content += "r=\"\(radius)\"><title>\(note(index).html)</title></circle>"
    }
  }

  private func runs(_ values: [Double?]) -> [[(index: Int, value: Double)]] {
    var runs: [[(index: Int, value: Double)]] = []
    var last = -2
    for (index, value) in values.enumerated() {
      guard let value else { continue }
      if index != last + 1 { runs.append([]) }
      runs[runs.count - 1].append((index, value))
      last = index
    }
    return runs
  }

  var svg: String {
    """
    <svg viewBox="0 0 \(Shown.coordinate(width)) \(Shown.coordinate(height))" role="img" \
    aria-label="\(title.html)">\(content)</svg>
    """
  }

  // MARK: Small plots

  /// A line without scale, for a tile.
  static func trend(_ values: [Double?], highest: Double? = nil, _ style: String) -> String {
    let known = values.compactMap(\.self)
    let top = max(highest ?? known.max() ?? 0, 1e-9)
    var plot = Plot(bare: 160, 34, highest: top, count: values.count)
    let single = known.count == 1
    if !single { plot.line(values, style) }
    if single { plot.dots(values, style) { _ in "" } }
    return "<svg class=\"trend\" viewBox=\"0 0 160 34\" aria-hidden=\"true\">\(plot.content)</svg>"
  }

  private init(bare width: Double, _ height: Double, highest: Double, count: Int) {
    (self.title, self.width, self.height, self.count) = ("", width, height, max(1, count))
    (left, right, top, bottom) = (1, 1, 2, 2)
    self.highest = highest
  }
}
