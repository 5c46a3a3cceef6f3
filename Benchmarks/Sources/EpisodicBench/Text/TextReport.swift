import Foundation

/// What `bench text` found.
struct TextReport: BenchReport {
  let benchmark = "text"
  let parameters: [String: Int]
  let machine: Machine
  var classes: [TextRow] = []
  /// Of hybrid recall, and of its parts alone.
  var rows: [Row] = []
  var figures: [Figure] = []
  var ratios: [Ratio] = []
  var notes: [String] = []
  var failure: String?

  var text: String {
    var blocks = [heading, classText]
    if !rows.isEmpty { blocks.append(rowText) }
    blocks.append(figureText)
    blocks.append(ratios.text)
    if !notes.isEmpty { blocks.append(notes.joined(separator: "\n")) }
    blocks.append(legend)
    return blocks.joined(separator: "\n\n")
  }

  private var heading: String {
    let settings = parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.grouped)" }
    return "bench text: \(settings.joined(separator: ", "))\n\(machine.text)"
  }

  private var classText: String {
    var table = TextTable([
      "us", "questions", "search p50", "p99", "recall p50", "p99", "FTS5 p50", "p99", "FTS5 / search", "same ten",
    ])
    for row in classes {
      let times = [row.search, row.recall, row.plain].flatMap {
        [Self.microseconds($0.p50), Self.microseconds($0.p99)]
      }
      table.add(
        [row.name, row.questions.grouped] + times + [
          String(format: "%.2f", Double(row.plain.p50) / Double(max(1, row.search.p50))),
          String(format: "%.1f %%", 100 * row.agreement),
        ])
    }
    return table.text
  }

  private var rowText: String {
    var table = TextTable(["text and vector, us", "calls", "p50", "p99"])
    for row in rows {
      table.add([row.name, row.calls.grouped, Self.microseconds(row.p50), Self.microseconds(row.p99)])
    }
    return table.text
  }

  private var figureText: String {
    var table = TextTable(["figures", "", ""])
    for figure in figures { table.add([figure.name, figure.text, figure.unit]) }
    return table.text
  }

  private var legend: String {
    let lines = classes.map { ($0.name, $0.what) } + rows.map { ($0.name, $0.what) }
    let width = lines.map(\.0.count).max() ?? 0
    return lines.map { name, what in
      name + String(repeating: " ", count: width - name.count) + "  " + what
    }.joined(separator: "\n")
  }

  private static func microseconds(_ nanoseconds: UInt64) -> String {
    let microseconds = Double(nanoseconds) / 1000
    return microseconds < 100 ? String(format: "%.1f", microseconds) : Int(microseconds).grouped
  }
}
