import StoreValues

/// Checks input before anything is written. Every message names the field, its value and the remedy.
struct LedgerInput: Sendable {
  /// Also a rule of the tables.
  private static let maximumIDBytes = 128

  let limits: Ledger.Limits

  func text(_ value: String?, _ field: String) throws(MemoryError) {
    guard let value else { return }
    try text(value, field, most: limits.fieldBytes, "fieldBytes")
  }

  /// Of a prompt or a response.
  func prompt(_ value: String?, _ field: String) throws(MemoryError) {
    guard let value else { return }
    try text(value, field, most: limits.promptBytes, "promptBytes")
  }

  private func text(_ value: String, _ field: String, most: Int, _ limit: String) throws(MemoryError) {
    if let at = value.utf8.firstIndex(of: 0) {
      let offset = value.utf8.distance(from: value.startIndex, to: at)
      throw MemoryError(.invalid, "\(field) has a NUL character at byte \(offset); remove it")
    }
    guard value.utf8.count <= most else {
      throw MemoryError(
        .limitExceeded, "\(field) has \(value.utf8.count) bytes; shorten it to \(most) or raise limits.\(limit)")
    }
  }

  /// A text that may not be empty; `nil` passes.
  func name(_ value: String?, _ field: String) throws(MemoryError) {
    guard let value else { return }
    guard !value.isEmpty else { throw MemoryError(.invalid, "\(field) is empty; give it a name") }
    try text(value, field)
  }

  func identifier<Entity>(_ value: Identifier<Entity>?, _ field: String) throws(MemoryError) {
    guard let value = value?.rawValue else { return }
    guard (1...Self.maximumIDBytes).contains(value.utf8.count) else {
      throw MemoryError(
        .invalid,
        "\(field) \"\(value.shortened(to: 60))\" has \(value.utf8.count) bytes; an id has 1 to \(Self.maximumIDBytes)")
    }
    try text(value, field)
  }

  /// - Returns: The canonical text, which is stored.
  func json(_ value: JSON, _ field: String) throws(MemoryError) -> String {
    try sound(value, field)
    let text = value.canonicalText
    guard text.utf8.count <= limits.fieldBytes else {
      throw MemoryError(
        .limitExceeded,
        "\(field) has \(text.utf8.count) bytes as JSON; shorten it to \(limits.fieldBytes) or raise limits.fieldBytes")
    }
    return text
  }

  /// - Throws: `.limitExceeded` if it is nested too deep; `.invalid` for a number that JSON does not have.
  func sound(_ value: JSON, _ field: String, depth: Int = 1) throws(MemoryError) {
    switch value {
    case .number(let number):
      guard !number.isFinite else { return }
      throw MemoryError(.invalid, "\(field) has the number \(number), which JSON does not; use null or a string")
    case .array(let elements):
      try require(depth, of: field)
      for element in elements { try sound(element, field, depth: depth + 1) }
    case .object(let members):
      try require(depth, of: field)
      for member in members { try sound(member.value, field, depth: depth + 1) }
    case .null, .bool, .integer, .unsigned, .string: return
    }
  }

  private func require(_ depth: Int, of field: String) throws(MemoryError) {
    guard depth > limits.jsonDepth else { return }
    throw MemoryError(
      .limitExceeded,
      "\(field) is nested more than \(limits.jsonDepth) deep; flatten it, or raise limits.jsonDepth up to 256")
  }

  /// - Returns: The canonical text of an object, which is stored.
  func object(_ value: JSON, _ field: String) throws(MemoryError) -> String {
    try sound(value, field)
    guard value.members != nil else {
      throw MemoryError(.invalid, "\(field) is \(value.canonicalText.shortened(to: 40)); it must be a JSON object")
    }
    return try json(value, field)
  }

  func count(_ value: Int?, _ field: String) throws(MemoryError) {
    guard let value, value < 0 else { return }
    throw MemoryError(.invalid, "\(field) is \(value); it cannot be negative")
  }

  func count(_ value: Int64?, _ field: String) throws(MemoryError) {
    guard let value, value < 0 else { return }
    throw MemoryError(.invalid, "\(field) is \(value); it cannot be negative")
  }

  /// - Parameter range: In which a number must be; not a number is in none.
  func number(_ value: Double?, _ field: String, in range: ClosedRange<Double>) throws(MemoryError) {
    guard let value, !range.contains(value) else { return }
    throw MemoryError(.invalid, "\(field) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)")
  }

  /// - Returns: Whole milliseconds, at most so many that times stay in range.
  func milliseconds(
    _ value: Duration?, _ field: String, atLeast least: Duration = .zero
  ) throws(MemoryError) -> Int64? {
    guard let value else { return nil }
    guard value >= least, value <= .seconds(Self.longestSeconds) else {
      throw MemoryError(
        .invalid, "\(field) is \(value.inWholeUnits); it must be from \(least.inWholeUnits) to 3650 days")
    }
    let (seconds, attoseconds) = value.components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
  /// Ten years.
  private static let longestSeconds = 3650 * 86_400

  func time(_ value: Timestamp?, _ field: String) throws(MemoryError) {
    guard let value, !Timestamp.accepted.contains(value) else { return }
    throw MemoryError(.invalid, "\(field) is \(value.milliseconds) ms after 1970; it must be in the years 1 to 9999")
  }

  /// - Parameter what: Of what there are so many in one call, as a plural.
  func batch(_ count: Int, _ what: String) throws(MemoryError) {
    guard count > limits.batchElements else { return }
    throw MemoryError(
      .limitExceeded,
      "\(count) \(what) are given; write at most \(limits.batchElements) in one call or raise limits.batchElements")
  }

  /// - Parameter count: Of a page.
  func page(_ count: Int) throws(MemoryError) {
    guard !(1...limits.results).contains(count) else { return }
    throw MemoryError(.invalid, "limit is \(count); it must be from 1 to \(limits.results), or raise limits.results")
  }
}
