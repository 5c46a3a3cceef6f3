import Episodic

/// Values of the ledger as a table, or as JSON.
enum LedgerList {
  /// - Parameter name: Of the list in JSON.
  /// - Parameter empty: Said if there are none.
  static func write<Value: Encodable>(
    _ values: [Value], as name: String, _ output: OutputOptions, empty: String, _ columns: [Table.Column],
    _ cells: (Value) -> [Table.Cell]
  ) throws {
    if output.json {
      return StandardOutput.write(.object(JSON.Object([(name, .array(try values.map { try JSON(ledger: $0) }))])))
    }
    guard !values.isEmpty else { return StandardError.write(empty) }
    var table = Table(columns)
    for value in values { table.add(cells(value)) }
    StandardOutput.write(table.text(width: StandardOutput.width))
  }

  /// A value as JSON, or as a line.
  static func write(_ value: some Encodable, _ output: OutputOptions, _ line: String) throws {
    if output.json { return StandardOutput.write(try JSON(ledger: value)) }
    StandardOutput.write(line.onOneLine)
  }
}
