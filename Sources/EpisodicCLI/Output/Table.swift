/// Rows in aligned columns. The last column is cut where the terminal ends.
struct Table {
  private let header: [String]
  private var rows: [[String]] = []
  /// Columns of numbers stand at their right edge.
  private let rightAligned: Set<String>

  init(_ header: [String], rightAligned: Set<String> = []) {
    self.header = header
    self.rightAligned = rightAligned
  }

  mutating func add(_ cells: [String]) { rows.append(cells.map(\.onOneLine)) }

  /// - Parameter width: Columns of the terminal; `nil` cuts nothing.
  func text(width: Int?) -> String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].columns }.max() ?? 0 }
    return all.map { row in
      let line = row.enumerated().map { column, cell in
        if rightAligned.contains(header[column]) {
          return String(repeating: " ", count: widths[column] - cell.columns) + cell
        }
        return column == header.count - 1 ? cell : cell.padded(to: widths[column])
      }.joined(separator: "  ")
      return width.map { line.fitted(to: $0) } ?? line
    }.joined(separator: "\n")
  }
}
