/// A JSON object that somebody wrote as input: each member is taken once, and what is left is refused by name.
///
/// A member that is null counts as left out.
package struct InputObject: Sendable {
  private var members: JSON.Object
  /// What the object is, for messages: `a step`.
  private let form: String
  private var known: [String] = []

  /// - Parameter place: Where it was read, for the message.
  /// - Throws: `.invalid` if the value is not an object.
  package init(_ value: JSON, as form: String, place: String = "standard input") throws(MemoryError) {
    guard let members = value.members else {
      throw MemoryError(.invalid, "\(place) is not \(form) as one JSON object; write {\"name\": value, …}")
    }
    self.members = members
    self.form = form
  }

  package mutating func text(_ name: String) throws(MemoryError) -> String? {
    try take(name, "a string") { if case .string(let text) = $0 { text } else { nil } }
  }

  package mutating func required(_ name: String) throws(MemoryError) -> String {
    guard let text = try text(name) else {
      throw MemoryError(.invalid, "\(name) of \(form) is missing; write a string")
    }
    return text
  }

  package mutating func integer(_ name: String) throws(MemoryError) -> Int64? {
    try take(name, "a whole number") { value in
      switch value {
      case .integer(let number): number
      case .number(let number): Int64(exactly: number)
      default: nil
      }
    }
  }

  package mutating func number(_ name: String) throws(MemoryError) -> Double? {
    try take(name, "a number") { $0.double }
  }

  package mutating func bool(_ name: String) throws(MemoryError) -> Bool? {
    try take(name, "true or false") { if case .bool(let flag) = $0 { flag } else { nil } }
  }

  package mutating func object(_ name: String) throws(MemoryError) -> JSON? {
    try take(name, "an object") { $0.members == nil ? nil : $0 }
  }

  package mutating func array(_ name: String) throws(MemoryError) -> [JSON]? {
    try take(name, "an array") { if case .array(let elements) = $0 { elements } else { nil } }
  }

  package mutating func value(_ name: String) -> JSON? {
    known.append(name)
    defer { members[name] = nil }
    return members[name]
  }

  package mutating func time(_ name: String) throws(MemoryError) -> Timestamp? {
    guard let text = try text(name) else { return nil }
    do throws(Timestamp.ParsingError) {
      return try Timestamp(iso8601: text)
    } catch {
      throw MemoryError(.invalid, "\(name) is \(error)")
    }
  }

  /// Whether a member is there, null included: null may mean more than leaving it out.
  package func has(_ name: String) -> Bool {
    if case .some = members[name] { true } else { false }
  }

  /// - Throws: `.invalid`, naming a member that was not taken and those that there are.
  package func end() throws(MemoryError) {
    guard let (name, _) = members.first else { return }
    throw MemoryError(
      .invalid, "\(name) is no member of \(form); there are \(known.sorted().joined(separator: ", "))")
  }

  private mutating func take<Value>(
    _ name: String, _ wanted: String, _ read: (JSON) -> Value?
  ) throws(MemoryError) -> Value? {
    guard let value = value(name) else { return nil }
    if case .null = value { return nil }
    guard let read = read(value) else {
      throw MemoryError(.invalid, "\(name) is \(value.outputText.prefix(60)); write \(wanted)")
    }
    return read
  }
}

extension JSON {
  /// The value of a number.
  package var double: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .unsigned(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}

extension RawRepresentable where Self: CaseIterable, RawValue == String {
  /// Reads one of a closed set of names.
  package init?(member name: String, of object: inout InputObject) throws(MemoryError) {
    guard let text = try object.text(name) else { return nil }
    guard let status = Self(rawValue: text) else {
      throw MemoryError(
        .invalid, "\(name) is \"\(text)\"; write one of \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self = status
  }
}
