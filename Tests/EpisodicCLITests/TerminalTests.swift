import Foundation
import Testing

@Suite struct `Text for a terminal` {
  let episodic: CommandLineTool

  /// Characters that must not reach a terminal unescaped.
  private static let hostile: [Unicode.Scalar] =
    (0x00...0x1F).filter { $0 != 0x09 && $0 != 0x0A && $0 != 0 }.compactMap(Unicode.Scalar.init)
    + (0x7F...0x9F).compactMap(Unicode.Scalar.init)
    + [
      "\u{AD}", "\u{34F}", "\u{61C}", "\u{115F}", "\u{180E}", "\u{200B}", "\u{200C}", "\u{200D}", "\u{200E}",
      "\u{200F}",
      "\u{2028}", "\u{2029}", "\u{202A}", "\u{202B}", "\u{202C}", "\u{202D}", "\u{202E}", "\u{2060}", "\u{2066}",
      "\u{2067}",
      "\u{2068}", "\u{2069}", "\u{206F}", "\u{3164}", "\u{FE0F}", "\u{FEFF}", "\u{FFA0}", "\u{FFF9}", "\u{FFFB}",
      "\u{FFFE}",
      "\u{E0001}", "\u{E0041}", "\u{E007F}", "\u{E0100}",
    ]

  private static let all = String(String.UnicodeScalarView(hostile))

  init() throws {
    episodic = try CommandLineTool()
    let text = Self.all
    let object: [String: Any] = [
      "id": "id\u{202E}\u{1B}[31m", "task_type": "task\u{1B}\u{202E}", "domain": "domain\u{1B}\u{202E}",
      "session": text,
      "context": "context \(text)", "status": "failed", "created_at": "2026-01-31T12:00:00Z",
      "metadata": ["k\(text)": text],
      "steps": [
        [
          "step_number": 1, "action": "act \(text)", "result": "res\n\(text)", "tool": text,
          "timestamp": "2026-01-31T12:00:00Z",
        ]
      ],
    ]
    let data = try JSONSerialization.data(withJSONObject: object)
    try #require(try episodic("import", "-", input: String(decoding: data, as: UTF8.self) + "\n").status == 0)
  }

  @Test(arguments: [
    ["list"], ["show", "id\u{202E}\u{1B}[31m"], ["recall", "context", "--everywhere"],
    ["recall", "act", "--everywhere"], ["stats"],
    ["check"], ["rebuild"],
  ]) func `no verb prints what a terminal would obey or hide`(arguments: [String]) throws {
    let result = try episodic.run(arguments)
    #expect(result.status == 0 && !result.output.isEmpty, "\(result)")
    expectHarmless(result.output + result.errors)
  }

  @Test(arguments: [
    ["\(all)"], ["list", "--\(all)"], ["list", "--status", "\(all)"], ["list", "--limit", "\(all)"],
    ["list", "--after", "\(all)"],
    ["list", "--after-cursor", "\(all)"], ["list", "--store", "no\(all)"], ["show", "\(all)"], ["import", "\(all)"],
    ["export", "--output", "/nowhere/\(all)"], ["recall", "x", "--mode", "\(all)"],
    ["recall", "--phrase", "\(all)", "--everywhere"], ["recall", "x\(all)", "--everywhere", "--prefix", "a b \(all)"],
    ["record", "--task", "t", "--domain", "\(all)", "--episode", "id\u{202E}\u{1B}[31m", "--", "true"],
    ["record", "--episode", "id\u{202E}\u{1B}[31m", "--", "\(all)"], ["record", "--episode", "\(all)", "--", "true"],
  ]) func `no error, warning or summary repeats it`(arguments: [String]) throws {
    let result = try episodic.run(arguments)
    #expect(!result.errors.isEmpty, "\(result)")
    expectHarmless(result.errors)
  }

  @Test func `log messages of the library are escaped too`() throws {
    let store = "st\u{1B}[31m\u{202E}"
    try #require(try episodic("record", "--store", store, "--task", "t", "--domain", "d", "--", "true").status == 0)
    // Makes the cache, which writing verbs leave to readers.
    try #require(try episodic("list", "--store", store).status == 0)
    let cache = episodic.path(store + "/cache.lmdb")
    try FileManager.default.removeItem(atPath: cache)
    _ = try episodic.file(store + "/cache.lmdb", "no directory")
    let result = try episodic("list", "--store", store)
    #expect(result.status == 0 && result.errors.contains("cache.lmdb"), "\(result)")
    #expect(result.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("episodic: ") }, "\(result)")
    expectHarmless(result.errors)
  }

  @Test func `escaped characters are written as their number, in one form`() throws {
    let shown = try episodic("show", "id\u{202E}\u{1B}[31m").output
    for scalar in Self.hostile {
      #expect(shown.contains("\\u{\(String(scalar.value, radix: 16))}"), "\(String(scalar.value, radix: 16))")
    }
  }

  @Test func `ordinary text is unchanged, and combining marks are limited`() throws {
    let ordinary = "naïve ångström 漢字 हिन्दी ไทย עברית العربية ⚠\u{FE0F} 👍"
    let heap = "a" + String(repeating: "\u{301}", count: 500) + "b"
    try episodic.record(["--episode", "e", "--context", "\(ordinary) \(heap)", "--", "true"])
    let shown = try episodic("show", "e").output
    #expect(shown.contains(ordinary), "\(shown)")
    #expect(shown.unicodeScalars.count { $0 == "\u{301}" } < 16)
  }

  private func expectHarmless(_ text: String, _ location: SourceLocation = #_sourceLocation) {
    let scalars = Set(text.unicodeScalars)
    let raw = Self.hostile.filter(scalars.contains).map { String($0.value, radix: 16) }
    #expect(raw.isEmpty, "\(text)", sourceLocation: location)
  }
}
