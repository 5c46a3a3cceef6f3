import Foundation

/// What `bench vectors` found.
struct VectorsReport: BenchReport {
  let benchmark = "vectors"
  let parameters: [String: Int]
  let machine: Machine
  /// Writes and openings.
  var rows: [Row] = []
  var searches: [SearchRow] = []
  var neighbours: [GraphCurve.Point] = []
  var figures: [Figure] = []
  var ratios: [Ratio] = []
  var notes: [String] = []
  var failure: String?

  enum CodingKeys: String, CodingKey {
    case benchmark, parameters, machine, rows, searches, figures, ratios, notes, failure
    case neighbours = "hnswlib"
  }

  var text: String {
    var blocks = [heading, searchText]
    if !neighbours.isEmpty { blocks.append(neighbourText) }
    if !rows.isEmpty { blocks.append(rowText) }
    blocks.append(figureText)
    blocks.append(ratios.text)
    if !notes.isEmpty { blocks.append(notes.joined(separator: "\n")) }
    blocks.append(legend)
    return blocks.joined(separator: "\n\n")
  }

  private var heading: String {
    let settings = parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.grouped)" }
    return "bench vectors: \(settings.joined(separator: ", "))\n\(machine.text)"
  }

  private var searchText: String {
    var table = TextTable(["searches", "", "calls", "p50 us", "p99 us", "of best", "recall"])
    for row in searches {
      table.add([
        row.name, row.section, row.calls.grouped, Self.microseconds(Double(row.p50)),
        Self.microseconds(Double(row.p99)), Self.microseconds(Double(row.p99OfFastest)),
        String(format: "%.4f", row.recall),
      ])
    }
    return table.text + "\nof best: p99 over the queries, of the fastest call of each"
  }

  private var neighbourText: String {
    var table = TextTable(["hnswlib, ef", "p50 us", "p99 us", "recall"])
    for point in neighbours {
      table.add([
        String(format: "%.0f", point.effort), Self.microseconds(point.p50), Self.microseconds(point.p99),
        String(format: "%.4f", point.recall),
      ])
    }
    return table.text
  }

  private var rowText: String {
    var table = TextTable(["writes and openings", "calls", "p50 us", "p99 us"])
    for row in rows {
      table.add([
        row.name, row.calls.grouped, Self.microseconds(Double(row.p50)), Self.microseconds(Double(row.p99)),
      ])
    }
    return table.text
  }

  private var figureText: String {
    var table = TextTable(["figures", "", ""])
    for figure in figures { table.add([figure.name, figure.text, figure.unit]) }
    return table.text
  }

  private var legend: String {
    let lines = searches.map { ($0.name, $0.what) } + rows.map { ($0.name, $0.what) }
    let width = lines.map(\.0.count).max() ?? 0
    var seen: Set<String> = []
    return lines.filter { seen.insert($0.0).inserted }.map { name, what in
      name + String(repeating: " ", count: width - name.count) + "  " + what
    }.joined(separator: "\n")
  }

  private static func microseconds(_ nanoseconds: Double) -> String {
    nanoseconds < 100_000 ? String(format: "%.1f", nanoseconds / 1000) : Int(nanoseconds / 1000).grouped
  }
}
