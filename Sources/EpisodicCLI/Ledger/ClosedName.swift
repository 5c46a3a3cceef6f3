import ArgumentParser

/// A value of a closed set in an option, by its name.
enum ClosedName {
  @Sendable static func parse<Value: RawRepresentable<String> & CaseIterable>(_ text: String) throws -> Value {
    guard let value = Value(rawValue: text) else {
      let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("\"\(text)\" is none of \(names); write one of them")
    }
    return value
  }
}
