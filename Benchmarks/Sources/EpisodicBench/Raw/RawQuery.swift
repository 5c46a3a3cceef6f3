import CRawSQLite

/// A prepared question to SQLite whose answer is a row of integers.
final class RawQuery {
  private let query: OpaquePointer
  private let columns: Int
  /// Must outlive its statements.
  private let store: RawStore

  init(_ query: OpaquePointer, columns: Int, of store: RawStore) {
    self.query = query
    self.columns = columns
    self.store = store
  }

  deinit { raw_finalize(query) }

  /// What is committed now; `nil` where there is no row.
  func ask(_ argument: String) throws -> [Int64]? {
    let texts = RawTexts()
    var values = [Int64](repeating: 0, count: columns)
    var isFound: Int32 = 0
    try store.check(raw_ask(query, texts.text(argument), &values, Int32(columns), &isFound))
    return isFound == 0 ? nil : values
  }
}
