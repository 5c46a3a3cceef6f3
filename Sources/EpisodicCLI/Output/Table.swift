import Episodic

/// Rows in aligned columns.
///
/// If they do not fit the width, the widest text is cut first, down to a readable rest; then columns are left out, the least
/// telling ones first.
struct Table {
  struct Column {
    let name: String
    var isNumber = false
    /// Whether its text may be cut, to `Table.readable` columns.
    var isText = false
    /// Columns are left out from the highest number on; 0 stays.
    var rank = 0

    init(_ name: String, isNumber: Bool = false, isText: Bool = false, rank: Int = 0) {
      self.name = name
      self.isNumber = isNumber
      self.isText = isText
      self.rank = rank
    }
  }

  struct Cell: ExpressibleByStringInterpolation {
    let text: String
    var style: TextStyle?

    init(_ text: String, _ style: TextStyle? = nil) {
      self.text = text.onOneLine
      self.style = style
    }

    init(stringLiteral text: String) { self.init(text) }
  }

  /// Columns of text below which others are left out instead.
  private static let readable = 24
  private static let gap = 2

  private let columns: [Column]
  private var rows: [[Cell]] = []

  init(_ columns: [Column]) { self.columns = columns }

  mutating func add(_ cells: [Cell]) { rows.append(cells) }

  /// - Parameter width: In terminal columns; `nil` for no limit.
  func text(width: Int?) -> String {
    let (shown, widths) = layout(width)
    let header = shown.map { Cell(columns[$0].name, .faint) }
    return ([header] + rows.map { row in shown.map { row[$0] } }).map { row in
      line(row, shown, widths)
    }.joined(separator: "\n")
  }

  /// The columns that are shown, and their widths.
  private func layout(_ limit: Int?) -> (shown: [Int], widths: [Int: Int]) {
    var widths: [Int: Int] = [:]
    for index in columns.indices {
      widths[index] = rows.reduce(columns[index].name.columns) { max($0, $1[index].text.columns) }
    }
    var shown = Array(columns.indices)
    guard let limit else { return (shown, widths) }
    func excess() -> Int {
      shown.reduce(Self.gap * (shown.count - 1)) { $0 + (widths[$1] ?? 0) } - limit
    }
    func cut(to least: Int) {
      for index in shown where columns[index].isText && excess() > 0 {
        widths[index] = max(min(widths[index] ?? 0, least), (widths[index] ?? 0) - excess())
      }
    }
    cut(to: Self.readable)
    while excess() > 0,
      let last = shown.filter({ columns[$0].rank > 0 }).max(by: { columns[$0].rank < columns[$1].rank })
    {
      shown.removeAll { $0 == last }
    }
    cut(to: 1)
    // What is left out may have made more room than was needed.
    if let index = shown.first(where: { columns[$0].isText }), excess() < 0 {
      let natural = rows.reduce(columns[index].name.columns) { max($0, $1[index].text.columns) }
      widths[index] = min(natural, (widths[index] ?? 0) - excess())
    }
    return (shown, widths)
  }

  private func line(_ row: [Cell], _ shown: [Int], _ widths: [Int: Int]) -> String {
    var line = ""
    for (position, index) in shown.enumerated() {
      let cell = row[position]
      let width = widths[index] ?? 0
      let text = cell.text.fitted(to: width)
      let padding = String(repeating: " ", count: max(0, width - text.columns))
      let styled = cell.style?.applied(to: text) ?? text
      let isLast = position == shown.count - 1
      line += columns[index].isNumber ? padding + styled : isLast ? styled : styled + padding
      if !isLast { line += String(repeating: " ", count: Self.gap) }
    }
    return line
  }
}
