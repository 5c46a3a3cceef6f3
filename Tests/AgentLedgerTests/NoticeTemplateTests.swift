import AgentLedger
import StoreValues
import TestSupport
import Testing

@Suite struct `Templates of notices` {
  private func rendered(
    _ body: String, _ variables: [String], _ values: JSON, subject: String = "s"
  ) async throws -> Ledger.NoticeText {
    let ledger = try await Ledger.inMemory(clock: ManualClock())
    try await ledger.save(Ledger.NoticeTemplate("t", type: .system, subject: subject, body: body, variables: variables))
    return try await ledger.render(template: "t", values)
  }

  static let forms: [(body: String, variables: [String], values: JSON, text: String)] = [
    ("plain { } text }}", [], [:], "plain { } text }}"),
    ("Hello {{name}}!", ["name"], ["name": "Ada"], "Hello Ada!"),
    ("{{ name }} {{{name}}} {{& name}}", ["name"], ["name": "<b>&\"'"], "<b>&\"' <b>&\"' <b>&\"'"),
    (
      "{{a}} {{b}} {{c}} {{d}} {{e}}", ["a", "b", "c", "d", "e"], ["a": 1, "b": 1.5, "c": true, "d": nil, "e": -7],
      "1 1.5 true  -7"
    ),
    ("{{a}} {{b}}", ["a", "b"], ["a": [1, "x"], "b": ["k": 1]], "[1,\"x\"] {\"k\":1}"),
    ("{{#items}}- {{title}}\n{{/items}}", ["items.title"], ["items": [["title": "a"], ["title": "b"]]], "- a\n- b\n"),
    ("{{#items}}\n- {{.}}\n{{/items}}\n", ["items"], ["items": ["a", "b"]], "- a\n- b\n"),
    ("{{#items}}{{name}}{{.}} {{/items}}", ["items", "name"], ["items": [1, 2], "name": "n"], "n1 n2 "),
    ("{{#ok}}yes{{/ok}}{{^ok}}no{{/ok}}", ["ok"], ["ok": true], "yes"),
    ("{{#ok}}yes{{/ok}}{{^ok}}no{{/ok}}", ["ok"], ["ok": false], "no"),
    ("{{#ok}}yes{{/ok}}{{^ok}}no{{/ok}}", ["ok"], ["ok": nil], "no"),
    ("{{#ok}}yes{{/ok}}{{^ok}}no{{/ok}}", ["ok"], ["ok": []], "no"),
    ("{{^elements}}{{elements}}{{/elements}}", ["elements"], ["elements": []], "[]"),
    ("{{person.name}} {{#person}}{{name}}{{/person}}", ["person.name"], ["person": ["name": "A"]], "A A"),
    ("a{{! a comment {{ of two\nlines }}b", [], [:], "ab"),
    ("{{name}}", ["name"], ["name": "{{other}} {{#x}}"], "{{other}} {{#x}}"),
    ("é{{name}}ü\r\n", ["name"], ["name": "🙂", "more": 1], "é🙂ü\r\n"),
    ("", [], [:], ""),
  ]

  @Test(arguments: forms.indices) func `a template gives the text that is plainly meant`(_ index: Int) async throws {
    let form = Self.forms[index]
    #expect(try await rendered(form.body, form.variables, form.values).body == form.text)
  }

  @Test func `a value cannot break the line of a subject`() async throws {
    let text = try await rendered("b", ["x"], ["x": "a\r\nBcc: eve@example.org\u{2028}b\u{7}"], subject: "[{{x}}]")
    #expect(text.subject == "[a  Bcc: eve@example.org b ]")
  }

  static let faults: [(body: String, variables: [String], part: String)] = [
    ("{{nmae}}", ["name"], "\"nmae\" is no variable"),
    ("{{{nmae}}}", ["name"], "\"nmae\" is no variable"),
    ("{{&nmae}}", ["name"], "\"nmae\" is no variable"),
    ("{{#nmae}}{{/nmae}}", ["name"], "\"nmae\" is no variable"),
    ("{{^nmae}}{{/nmae}}", ["name"], "\"nmae\" is no variable"),
    ("{{#name}}{{other}}{{/name}}", ["name"], "\"other\" is no variable"),
    ("{{^name}}{{other}}{{/name}}", ["name"], "\"other\" is no variable"),
    ("{{name.first}}", ["name"], "\"name.first\" is no variable"),
    ("{{title}}{{#items}}{{/items}}", ["items.title"], "\"title\" is no variable"),
    ("{{.}}", ["name"], "\".\" is no variable"),
    ("{{#name}}", ["name"], "not closed"),
    ("{{#a}}{{#b}}{{/a}}{{/b}}", ["a", "b"], "closes no open section"),
    ("{{/name}}", ["name"], "closes no open section"),
    ("{{name", ["name"], "a tag has \"name\""),
    ("{{", [], "a tag has \"\""),
    ("{{}}", [], "a tag has"),
    ("{{{name}}", ["name"], "a tag has"),
    ("{{name other}}", ["name", "other"], "a tag has \"name"),
    ("{{uppercased(name)}}", ["name"], "a tag has \"uppercased("),
    ("{{..name}}", ["name"], "is no variable"),
    ("{{! never closed", [], "comment is not closed"),
    ("{{> other}}", [], "partials"),
    ("{{<other}}{{/other}}", [], "partials"),
    ("{{$block}}{{/block}}", [], "partials"),
    ("{{=<% %>=}}<% name %>", ["name"], "partials"),
    ("{{% CONTENT_TYPE:HTML}}", [], "partials"),
    ("x", [""], "variable \"\""),
    ("x", ["a b"], "variable \"a b\""),
    ("x", ["a..b"], "variable \"a..b\""),
    (String(repeating: "{{#a}}", count: 100_000), ["a"], "nested"),
    ("a\0", [], "NUL"),
  ]

  @Test(arguments: faults.indices) func `a template with a fault is refused and not saved`(_ index: Int) async throws {
    let (body, variables, part) = Self.faults[index]
    let ledger = try await Ledger.inMemory(clock: ManualClock())
    for (subject, text) in [("s", body), (body, "b")] {
      let template = Ledger.NoticeTemplate("t", type: .system, subject: subject, body: text, variables: variables)
      let error = await #expect(throws: MemoryError.self) { try await ledger.save(template) }
      #expect(error?.code == .invalid)
      #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
      #expect(error?.message.count ?? 0 < 300)
    }
    #expect(try await ledger.template("t") == nil)
  }

  static let missing: [(variables: [String], values: JSON, part: String)] = [
    (["a"], [:], "\"a\""), (["a", "b"], ["a": 1], "\"b\""), (["a.b"], ["a": [:]], "\"a.b\""),
    (["a.b"], ["a": [["b": 1], ["c": 1]]], "\"a.b\""), (["a"], [], "JSON object"), ([], "x", "JSON object"),
  ]

  @Test(arguments: missing.indices) func `a missing value is refused when it is rendered`(_ index: Int) async throws {
    let (variables, values, part) = Self.missing[index]
    let error = await #expect(throws: MemoryError.self) { _ = try await rendered("x", variables, values) }
    #expect(error?.code == .invalid)
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
  }

  @Test func `lists that would repeat each other without end are refused`() async throws {
    let values: JSON = ["a": .array(Array(repeating: 1, count: 400))]
    let error = await #expect(throws: MemoryError.self) {
      _ = try await rendered("{{#a}}{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}{{/a}}", ["a"], values)
    }
    #expect(error?.code == .limitExceeded)
  }

  @Test func `a template is replaced, listed by name and removed`() async throws {
    let ledger = try await Ledger.inMemory(clock: ManualClock())
    for name in ["c", "a", "b"] {
      try await ledger.save(.init(name, type: .system, subject: name, body: "", variables: []))
    }
    let second = Ledger.NoticeTemplate("b", type: "own", subject: "{{x}}", body: "2", variables: ["x"])
    try await ledger.save(second)
    #expect(try await ledger.template("b") == second)
    #expect(try await ledger.templates(limit: 2).map(\.name) == ["a", "b"])
    #expect(try await ledger.templates(after: "b").map(\.name) == ["c"])
    try await ledger.remove(template: "b")
    #expect(try await ledger.template("b") == nil)
    for call in [{ try await ledger.remove(template: "b") }, { _ = try await ledger.render(template: "b", [:]) }] {
      let error = await #expect(throws: MemoryError.self) { try await call() }
      #expect(error?.code == .notFound)
    }
  }
}
