import EpisodicMemory
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

extension JSON {
  /// Reads stored JSON. SQLite's json_valid() lets more through than the engine writes, such as a name that occurs twice.
  ///
  /// - Parameter thing: What to name where it cannot be read.
  init(stored text: @autoclosure () throws -> String, in thing: @autoclosure () -> String) throws {
    let text = try text()
    if text == "{}" {
      self = [:]
      return
    }
    do throws(MemoryError) {
      self = try JSON(text: text)
    } catch {
      throw MemoryError.unreadable(thing(), error)
    }
  }
}
