import Foundation

/// The result of a benchmark, as text and as JSON.
protocol BenchReport: Encodable {
  var text: String { get }
  /// What is wrong, or why the figures do not measure what their names say; the program then exits with 1.
  var failure: String? { get }
}

extension BenchReport {
  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }
}

/// The report of a benchmark of latencies: `reads`, `writes`, `text` and `vectors`.
struct Report: BenchReport {
  let benchmark: String
  let parameters: [String: Int]
  let machine: Machine
  var rows: [Row] = []
  /// Of `text`.
  var classes: [TextRow] = []
  /// Of `vectors`.
  var searches: [SearchRow] = []
  var neighbours: [GraphCurve.Point] = []
  var figures: [Figure] = []
  var ratios: [Ratio] = []
  var cache: [CacheCounts] = []
  var notes: [String] = []
  var failure: String?

  enum CodingKeys: String, CodingKey {
    case benchmark, parameters, machine, rows, classes, searches, figures, ratios, cache, notes, failure
    case neighbours = "hnswlib"
  }

  /// The tables that have lines, and what each named row measures.
  var text: String {
    let settings = parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.grouped)" }.joined(separator: ", ")
    var blocks = ["bench \(benchmark): \(settings)\n\(machine.text)"]
    func add(_ titles: [String], _ lines: [[String]], note: String = "") {
      guard !lines.isEmpty else { return }
      var table = TextTable(titles)
      for line in lines { table.add(line) }
      blocks.append(table.text + note)
    }
    add(TextRow.titles, classes.map(\.cells))
    add(SearchRow.titles, searches.map(\.cells), note: "\nof best: p99 over the queries, of the fastest call of each")
    add(GraphCurve.Point.titles, neighbours.map(\.cells))
    for section in distinct(rows.map(\.section)) {
      add([section] + Row.titles, rows.filter { $0.section == section }.map(\.cells))
    }
    add(["figures", "", ""], figures.map { [$0.name, $0.text, $0.unit] })
    add(Ratio.titles, ratios.map(\.cells))
    add(CacheCounts.titles, cache.map(\.cells))
    if !notes.isEmpty { blocks.append(notes.joined(separator: "\n")) }
    blocks.append(legend)
    return blocks.joined(separator: "\n\n")
  }

  private var legend: String {
    let lines =
      classes.map { ($0.name, $0.what) } + searches.map { ($0.name, $0.what) } + rows.map { ($0.name, $0.what) }
    let width = lines.map(\.0.count).max() ?? 0
    return distinct(
      lines.map { name, what in name + String(repeating: " ", count: width - name.count) + "  " + what }
    ).joined(separator: "\n")
  }

  private func distinct(_ texts: [String]) -> [String] {
    var seen: Set<String> = []
    return texts.filter { seen.insert($0).inserted }
  }
}
