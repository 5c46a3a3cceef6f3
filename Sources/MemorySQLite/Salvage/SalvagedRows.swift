import GRDB
import SQLiteStorage

/// Rows of one table on their way into the new store.
struct SalvagedRows: Sendable {
  struct Row: Sendable {
    let rowID: Int64?
    let values: [StoredValue]
    /// Whether the tree of the table leads to it.
    let isReached: Bool
    /// Whether what stands beside its texts was made of other texts: one of them was changed.
    let isDoubtful: Bool
  }

  /// What became of a row.
  enum Outcome: Sendable {
    case salvaged
    case setAside
    /// Another row of the same key came first; equal or not, it is the newer one.
    case superseded
    case refused(String)
  }

  let table: SalvagedTable
  let rows: [Row]

  /// Inserts them by the rules of the store, in the transaction of the caller.
  ///
  /// - Returns: By row.
  func insert(_ db: Database) throws -> [Outcome] {
    let (derived, whole) = (table.insertion(isWhole: false), table.insertion(isWhole: true))
    return try rows.map { row in
      let arguments = row.arguments(table)
      if row.isDoubtful, table.name != "episodes" {
        guard table.orphanContent != nil else {
          return .refused("its data was changed: they are not those of their hash")
        }
        try setAside(arguments, db)
        return .setAside
      }
      do {
        let isWhole = table.isSealed(row.values)
        var statement = try RawStatement(isWhole ? whole : derived, db)
        try statement.bind(isWhole ? row.arguments(table, isWhole: true) : arguments)
        try statement.execute()
        return .salvaged
      } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
        return try outcome(of: row, arguments, refusal: error, db)
      }
    }
  }

  private func outcome(
    of row: Row, _ arguments: [StoredValue], refusal: DatabaseError, _ db: Database
  ) throws -> Outcome {
    let reason = refusal.message ?? "it breaks a rule of its table"
    switch refusal.extendedResultCode {
    case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
      return row.isReached ? .refused(reason) : .superseded
    case .SQLITE_CONSTRAINT_TRIGGER, .SQLITE_CONSTRAINT_FOREIGNKEY: break
    default: return .refused(reason)
    }
    guard table.orphanContent != nil else { return .refused(reason) }
    if !row.isReached, table.rowID == nil {
      // An index has the same two ids the other way round.
      var turned = try RawStatement(table.insertion(isWhole: false), db)
      try turned.bind(Array(arguments.reversed()))
      do {
        try turned.execute()
        return .salvaged
      } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
        return .superseded
      }
    }
    try setAside(arguments, db)
    return .setAside
  }

  private func setAside(_ arguments: [StoredValue], _ db: Database) throws {
    var statement = try RawStatement(
      "INSERT INTO orphans_kept (source, content) VALUES ('\(table.name)', \(table.orphanContent ?? "'{}'"))", db)
    try statement.bind(arguments)
    try statement.execute()
  }
}

extension SalvagedRows.Row {
  /// The row id, if there is one, and a value for each column that is taken from the row.
  ///
  /// - Parameter isWhole: Whether that is every column.
  fileprivate func arguments(_ table: SalvagedTable, isWhole: Bool = false) -> [StoredValue] {
    let taken = table.columns.indices.filter { isWhole || table.columns[$0].derivation == nil }
    let values = taken.map { $0 < self.values.count ? self.values[$0] : table.columns[$0].missing }
    return (rowID.map { [.integer($0)] } ?? []) + values
  }
}

extension SalvagedTable.Column {
  /// What a row has that was written before the column was added.
  fileprivate var missing: StoredValue { isOptional ? .null : .integer(earlier) }
}

extension SalvagedTable {
  /// A derived column is made of the parameters of those before it.
  ///
  /// - Parameter isWhole: Whether every column is taken from the row.
  fileprivate func insertion(isWhole: Bool) -> String {
    let names = (rowID.map { [$0] } ?? []) + columns.map(\.name)
    var taken = rowID == nil ? 0 : 1
    let values =
      (rowID == nil ? [] : ["?1"])
      + columns.map { column in
        if !isWhole, let derivation = column.derivation { return derivation }
        taken += 1
        return "?\(taken)"
      }
    return "INSERT INTO \(name) (\(names.joined(separator: ", "))) VALUES (\(values.joined(separator: ", ")))"
  }
}

extension RawStatement {
  fileprivate mutating func bind(_ values: [StoredValue]) throws {
    for value in values {
      switch value {
      case .null: try bindNull()
      case .integer(let value): try bind(value)
      case .real(let value): try bind(Double?(value))
      case .text(let bytes): try bytes.withUnsafeBytes { try bind(text: $0) }
      case .blob(let bytes): try bytes.withUnsafeBytes { try bind($0) }
      }
    }
  }
}
