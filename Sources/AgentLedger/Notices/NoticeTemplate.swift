import StoreValues

extension Ledger {
  /// Subject and body of notices, with variables in the form of Mustache.
  ///
  /// `{{name}}` is a value, `{{#name}}…{{/name}}` a section: left out for false, null and an empty list, repeated for the
  /// elements of a list; `{{^name}}…{{/name}}` is there when the section is not, `{{!…}}` never. Inside of a section `{{.}}` is
  /// the element, and a member of it by its name. Nothing is escaped: `{{name}}` and `{{{name}}}` are the same, `<` stays `<`,
  /// so a channel that sends HTML escapes what it gets.
  ///
  /// Partials, blocks, transforms, pragmas and other delimiters are refused.
  public struct NoticeTemplate: Hashable, Sendable, Codable {
    /// By which it is called; no two have the same.
    public var name: String
    /// Of the notices that it makes.
    public var type: Notice.Kind
    /// Becomes one line.
    public var subject: String
    /// Becomes the text.
    public var body: String
    /// The names that subject and body may use. A member of the elements of a list, or of an object, is `items.title`.
    public var variables: [String]

    /// A template to be saved.
    public init(_ name: String, type: Notice.Kind, subject: String, body: String, variables: [String]) {
      (self.name, self.type, self.subject) = (name, type, subject)
      (self.body, self.variables) = (body, variables)
    }
  }

  /// A notice's text, rendered.
  public struct NoticeText: Hashable, Sendable, Codable {
    /// One line: what would break it is a space.
    public let subject: String
    /// All of the text.
    public let body: String

    init(subject: String, body: String) { (self.subject, self.body) = (subject.onOneLine, body) }
  }
}

extension Ledger.NoticeTemplate {
  /// - Throws: `.invalid` for a variable that is not declared, a tag that is not closed, and what templates must not have.
  func validate(_ input: LedgerInput) throws(MemoryError) {
    try input.name(name, "the template's name")
    try input.name(type.rawValue, "the template's type")
    try input.text(subject, "the template's subject")
    try input.text(body, "the template's body")
    guard variables.count <= 1000 else {
      throw MemoryError(
        .limitExceeded, "the template \"\(name)\" has \(variables.count) variables; declare at most 1000")
    }
    let declared = try DeclaredVariables(variables, of: name)
    for (field, text) in [("subject", subject), ("body", body)] {
      try TemplateScanner(text, "the \(field) of template \"\(name.shortened(to: 60))\"", declared).check()
      _ = try TemplateRenderer(text, "the \(field) of template \"\(name.shortened(to: 60))\"")
    }
  }

  /// - Throws: `.invalid` if a value is missing; `.limitExceeded`.
  func render(_ values: JSON, _ input: LedgerInput) throws(MemoryError) -> Ledger.NoticeText {
    try DeclaredVariables(variables, of: name).requireValues(values)
    _ = try input.json(values, "the values of template \"\(name.shortened(to: 60))\"")
    let texts = try [("subject", subject), ("body", body)].map { (field, text) throws(MemoryError) in
      let place = "the \(field) of template \"\(name.shortened(to: 60))\""
      let text = try TemplateRenderer(text, place).render(values)
      try input.text(text, place + " with its values")
      return text
    }
    return Ledger.NoticeText(subject: texts[0], body: texts[1])
  }
}

extension String {
  /// Line ends and other controls in a subject would begin another header of a mail.
  fileprivate var onOneLine: String {
    String(String.UnicodeScalarView(unicodeScalars.map { Self.breaksLine($0) ? " " : $0 }))
  }

  private static func breaksLine(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
  }
}
