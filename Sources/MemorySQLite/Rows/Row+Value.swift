import GRDB

extension Row {
  /// The value of a column, by its place in the query.
  ///
  /// - Throws: Where the column holds something else: STRICT is not checked when reading, so in a damaged file it may,
  ///   and GRDB's subscript would end the process.
  func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ index: Int) throws -> Value {
    try decode(Value.self, atIndex: index)
  }
}
