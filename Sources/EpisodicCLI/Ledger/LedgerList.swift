import ArgumentParser
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

  /// Says that a thing was removed.
  static func writeRemoved(_ name: String, _ output: OutputOptions) {
    if output.json { return StandardOutput.write(["removed": .string(name)]) }
    StandardOutput.write("\(name.onOneLine): removed")
  }

  /// A thing that was looked for; without it the command says so, and ends with the answer no.
  static func found<Value>(_ value: Value?, _ kind: String, _ name: String) throws -> Value {
    if let value { return value }
    StandardError.write("no \(kind) \(name.onOneLine)")
    throw ExitCode(1)
  }
}
