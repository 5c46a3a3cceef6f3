extension CredentialRedactor {
  /// The value with the credentials in its strings and names replaced, and values whose names say that they are one, such as
  /// `"password": "hunter2"`.
  package static func redact(_ json: JSON) -> JSON {
    switch json {
    case .string(let text): return .string(redact(text).text)
    case .array(let elements): return .array(elements.map(redact))
    case .object(let members):
      return .object(
        JSON.Object(members.map { (redact($0.name).text, redact($0.value, named: $0.name)) }))
    case .null, .bool, .integer, .unsigned, .number: return json
    }
  }

  private static func redact(_ value: JSON, named name: String) -> JSON {
    let redacted = redact(value)
    let text: String
    switch value {
    case .string(let string):
      guard redacted == value else { return redacted }
      text = string
    case .integer, .unsigned, .number: text = value.canonicalText
    case .null, .bool, .array, .object: return redacted
    }
    // As in a text of JSON, in which the name stands before the value.
    let line = Array(JSON.object([name: .string(text)]).canonicalText.utf8)
    let begin = JSON.string(name).canonicalText.utf8.count + 2
    guard let finding = findings(in: line).first(where: { $0.range.lowerBound >= begin }) else { return redacted }
    return .string(finding.replacement)
  }
}
