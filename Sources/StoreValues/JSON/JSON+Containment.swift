extension JSON {
  /// Whether the value has all that `part` says.
  ///
  /// Of an object, every member given is there and contains what is given; of an array, every element given is contained in
  /// some element, in any order; other values are equal.
  ///
  /// - Complexity: The product of the sizes where arrays meet; scalars in arrays are looked up.
  package func contains(_ part: JSON) -> Bool {
    switch (self, part) {
    case (.object(let members), .object(let wanted)):
      return wanted.allSatisfy { name, value in members[name]?.contains(value) ?? false }
    case (.array(let elements), .array(let wanted)):
      let scalars = wanted.count > 8 ? Set(elements.lazy.filter(\.isScalar)) : nil
      return wanted.allSatisfy { value in
        if let scalars, value.isScalar { return scalars.contains(value) }
        return elements.contains { $0.contains(value) }
      }
    default: return self == part
    }
  }

  private var isScalar: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  /// The names and strings in a value, each once.
  package var strings: Set<String> {
    switch self {
    case .string(let text): [text]
    case .array(let elements): elements.reduce(into: []) { $0.formUnion($1.strings) }
    case .object(let members):
      members.reduce(into: []) { strings, member in
        strings.insert(member.0)
        strings.formUnion(member.1.strings)
      }
    default: []
    }
  }

  /// With composed letters in all names and strings.
  package var canonicallyComposed: JSON {
    switch self {
    case .string(let text): .string(text.canonicallyComposed)
    case .array(let elements): .array(elements.map(\.canonicallyComposed))
    case .object(let members):
      .object(Object(members.map { ($0.name.canonicallyComposed, $0.value.canonicallyComposed) }))
    default: self
    }
  }
}
