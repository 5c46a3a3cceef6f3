import GRDB

/// The conditions of a list, joined by AND, with their arguments.
struct RowConditions {
  private(set) var conditions: [String] = []
  private(set) var arguments: StatementArguments = []

  /// - Parameter value: `nil`: no condition.
  mutating func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
    guard let value else { return }
    conditions.append(condition)
    arguments += [value]
  }

  /// A condition without a value.
  mutating func add(_ condition: String) { conditions.append(condition) }

  /// The rows behind a place in the order of the list.
  mutating func add(_ condition: String, _ place: (Int64, Int64)) {
    conditions.append(condition)
    arguments += [place.0, place.1]
  }

  /// `WHERE ...`, or nothing.
  var clause: String { conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ") }
}
