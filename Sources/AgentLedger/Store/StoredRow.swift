import GRDB
import SQLiteStorage
import StoreRows
import StoreValues

/// A row whose columns are read by their index in the query and by their type: another program, or damage, may have left
/// another one.
protocol StoredRow: ~Copyable {
  func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ index: Int) throws -> Value
}

extension Row: StoredRow {}
extension RawStatement: StoredRow {}

extension StoredRow where Self: ~Copyable {
  func text(_ index: Int) throws -> String { try value(index) }
  func time(_ index: Int) throws -> Timestamp { Timestamp(milliseconds: try value(index)) }

  func time(ifAny index: Int) throws -> Timestamp? {
    let milliseconds: Int64? = try value(index)
    return milliseconds.map(Timestamp.init(milliseconds:))
  }

  func id<Entity>(_ index: Int) throws -> Identifier<Entity> { Identifier(composed: try value(index)) }

  func id<Entity>(ifAny index: Int) throws -> Identifier<Entity>? {
    let text: String? = try value(index)
    return text.map(Identifier.init(composed:))
  }

  func json(_ index: Int) throws -> JSON { JSON(stored: try value(index)) }

  func duration(ifAny index: Int) throws -> Duration? {
    let milliseconds: Int64? = try value(index)
    return milliseconds.map { .milliseconds($0) }
  }

  /// A name of an open set.
  func name<Name: OpenName>(_ index: Int) throws -> Name { Name(rawValue: try value(index)) }

  func name<Name: OpenName>(ifAny index: Int) throws -> Name? {
    let text: String? = try value(index)
    return text.map(Name.init(rawValue:))
  }

  /// A value of a closed set.
  ///
  /// - Throws: `.corrupted` for one that this build does not know, which only a program without CHECK constraints can write.
  func closed<Value: RawRepresentable<String>>(_ index: Int) throws -> Value {
    let text: String = try value(index)
    guard let value = Value(rawValue: text) else {
      throw MemoryError(
        .corrupted,
        "the ledger holds the \(Value.self) \"\(text.shortened(to: 40))\", which it does not know; restore a backup")
    }
    return value
  }

  func closed<Value: RawRepresentable<String>>(ifAny index: Int) throws -> Value? {
    let text: String? = try value(index)
    return text == nil ? nil : try closed(index)
  }
}

extension Timestamp {
  /// The time after a duration, clamped to what can be stored.
  func advanced(by duration: Duration) -> Timestamp {
    min(max(adding(duration), Self.accepted.lowerBound), Self.accepted.upperBound)
  }
}
