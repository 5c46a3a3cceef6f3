import Episodic

/// A JSON object that a command reads instead of options: each member is taken once, and what is left is refused by name.
///
/// A member that is null counts as left out.
struct InputObject {
  private var members: JSON.Object
  /// What the object is, for messages: `a step`.
  private let form: String
  private var known: [String] = []

  /// - Throws: `.invalid` if the value is not an object.
  init(_ value: JSON, as form: String) throws(MemoryError) {
    guard let members = value.members else {
      throw MemoryError(.invalid, "standard input is not \(form) as one JSON object; write {\"name\": value, …}")
    }
    self.members = members
    self.form = form
  }

  /// Reads one from standard input.
  init(_ form: String) throws(MemoryError) { try self.init(try StandardInput.json(), as: form) }

  mutating func text(_ name: String) throws(MemoryError) -> String? {
    try take(name, "a string") { if case .string(let text) = $0 { text } else { nil } }
  }

  mutating func required(_ name: String) throws(MemoryError) -> String {
    guard let text = try text(name) else {
      throw MemoryError(.invalid, "\(name) of \(form) is missing; write a string")
    }
    return text
  }

  mutating func integer(_ name: String) throws(MemoryError) -> Int64? {
    try take(name, "a whole number") { value in
      switch value {
      case .integer(let number): number
      case .number(let number): Int64(exactly: number)
      default: nil
      }
    }
  }

  mutating func number(_ name: String) throws(MemoryError) -> Double? {
    try take(name, "a number") { $0.double }
  }

  mutating func bool(_ name: String) throws(MemoryError) -> Bool? {
    try take(name, "true or false") { if case .bool(let flag) = $0 { flag } else { nil } }
  }

  mutating func object(_ name: String) throws(MemoryError) -> JSON? {
    try take(name, "an object") { $0.members == nil ? nil : $0 }
  }

  mutating func array(_ name: String) throws(MemoryError) -> [JSON]? {
    try take(name, "an array") { if case .array(let elements) = $0 { elements } else { nil } }
  }

  mutating func value(_ name: String) -> JSON? {
    known.append(name)
    defer { members[name] = nil }
    return members[name]
  }

  mutating func time(_ name: String) throws(MemoryError) -> Timestamp? {
    guard let text = try text(name) else { return nil }
    do throws(Timestamp.ParsingError) {
      return try Timestamp(iso8601: text)
    } catch {
      throw MemoryError(.invalid, "\(name) is \(error)")
    }
  }

  /// Whether a member is there, null included: null may mean more than leaving it out.
  func has(_ name: String) -> Bool {
    if case .some = members[name] { true } else { false }
  }

  /// - Throws: `.invalid`, naming a member that was not taken and those that there are.
  func end() throws(MemoryError) {
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
  var double: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .unsigned(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}
