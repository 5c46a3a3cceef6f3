import ByteCoding
import EpisodicMemory
import Foundation
import Interchange
import Learning
import StoreValues

extension FuzzTarget {
  /// All of them, by name.
  package static let all: [FuzzTarget] = [
    json, episodeLine, queryLine, time, timeCue, terms, redaction, terminal, invisible, cursors, cachedEpisode,
    cachedPattern, cachedHits, runTrace, stepText, manifest, receipt, auditLines, auditSubjects, settings,
  ]

  private static let line = """
    {"id": "run/1", "task_type": "debugging", "domain": "web", "session": "s", "context": "fix the login", \
    "status": "completed", "success_rate": 0.5, "created_at": "2026-01-31T12:00:00Z", "completed_at": \
    "2026-01-31T12:00:10.250Z", "metadata": {"model": "m", "cost": 0.25}, "source": "web", "source_id": "x", "actor": "a", \
    "trust": "untrusted", "derived_from": ["run/0"], "steps": [{"step_number": 1, "action": "look", "result": "nothing", \
    "tool": "grep", "duration_ms": 1500, "success": false, "timestamp": "2026-01-31T12:00:00Z", "source": "tool"}]}
    """

  /// Any JSON: what was read is written and read again as the same value.
  private static let json = FuzzTarget(
    "json", [line, #"[1, -2.5e3, "a\u00e9\ud83d\ude00", null, true, {"": {}}]"#, "18446744073709551615", "[[[[]]]]"]
  ) { bytes in
    let value = try JSON(text: text(bytes))
    try require(try JSON(text: value.canonicalText) == value, "canonical text is another value")
    try require(try JSON(text: value.outputText) == value, "output text is another value")
  }

  /// A line of an import: an episode that is accepted is written and read again as the same one.
  private static let episodeLine = FuzzTarget("episode-line", [line]) { bytes in
    for repair in [JSONScanner.Repair.none, .applied] {
      guard let read = try? EpisodeLine(bytes, repair: repair).episode(limits: Memory.Limits(), now: now) else {
        continue
      }
      let again = try EpisodeLine(Array(read.json.outputText.utf8)).episode(limits: Memory.Limits(), now: now)
      try require(again.json.canonicalText == read.json.canonicalText, "read again it is another episode")
    }
  }

  /// A line of queries.
  private static let queryLine = FuzzTarget(
    "query-line",
    [
      """
      {"id": "q", "text": "why", "filters": {"domain": "web", "session": "s", "task_type": "t", "status": ["failed"], \
      "after": "2026-01-01T00:00:00Z", "step": {"tool": "grep", "success": true, "text": "x", "phrase": "y z"}}, "at": \
      "2026-01-01T00:00:00Z", "metadata": {"x": 1}}
      """
    ]
  ) { bytes in _ = try QueryLine(bytes) }

  private static let time = FuzzTarget(
    "time",
    ["2026-01-31T12:00:00Z", "2026-12-31T23:59:60.123+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"]
  ) { bytes in
    let time = try Timestamp(iso8601: text(bytes))
    try require(Timestamp.accepted.contains(time), "beyond what is accepted")
    try require(Timestamp("\(time)") == time, "\(time) is another time")
  }

  /// Words of time in a question, at the edges of what is accepted, too.
  private static let timeCue = FuzzTarget(
    "time-cue",
    [
      "what did I do last tuesday evening", "two weeks before christmas 2024", "between march 3rd and april 5 1999",
      "in the last 99999999999 days", "the last 666666669y", "yesterday at 5pm, or on 2024-02-30",
      "the first monday of next month",
      "9999-12-31",
    ]
  ) { bytes in
    for asked in [
      now, Timestamp.accepted.lowerBound, Timestamp(milliseconds: Timestamp.accepted.upperBound.milliseconds - 1),
    ] {
      for cue in TimeCues.find(in: text(bytes), askedAt: asked) {
        try require(!cue.window.isEmpty, "an empty window")
        try require(
          cue.window.lowerBound >= Timestamp.accepted.lowerBound
            && cue.window.upperBound <= Timestamp.accepted.upperBound,
          "\(cue.window) is beyond what is accepted")
      }
    }
  }

  /// The words of a query.
  private static let terms = FuzzTarget(
    "terms",
    ["fix the flaky test", "HTTPServer.parseJSON_v2(x)", "\u{301}\u{200D}e\u{301} 日本語 привет", "\"a b\" OR NEAR(*"]
  ) { bytes in
    let text = text(bytes)
    _ = try? Query(text: text, scope: .everything).isEmpty()
    _ = try Query(phrases: [text], prefixes: [text], scope: .everything).isEmpty()
  }

  /// Credentials are found in bounds, and what is redacted has no more of them.
  private static let redaction = FuzzTarget(
    "redaction",
    [
      "export API_KEY=sk-abcdefghijklmnopqrstuvwxyz012345", "https://user:secret@example.com",
      "Bearer eyJhbGciOi.eyJzdWI.c2ln",
    ]
  ) { bytes in
    for finding in CredentialRedactor.findings(in: bytes) {
      try require(
        finding.range.lowerBound >= 0 && finding.range.upperBound <= bytes.count && !finding.range.isEmpty, "\(finding)"
      )
    }
    _ = CredentialRedactor.redact(text(bytes))
  }

  /// Escape sequences of a terminal.
  private static let terminal = FuzzTarget(
    "terminal",
    ["\u{1B}[31mred\u{1B}[0m", "\u{1B}]0;title\u{07}x\u{08}y", "\u{9B}2K\u{1B}P1$r\u{1B}\\", "a\u{08}\u{08}b"]
  ) { bytes in
    guard let cleaned = TerminalText.cleaned(bytes) else { return }
    try require(cleaned.count < bytes.count, "nothing was taken out")
  }

  /// Text as a person or a model reads it.
  private static let invisible = FuzzTarget(
    "invisible", ["a\u{202E}b\u{2066}c\u{200B}\u{E0041}\u{1B}[0m", "plain \u{301} e\u{301}\u{FE0F}"]
  ) { bytes in
    let shown = JSON.string(text(bytes)).outputText
    try require(!shown.unicodeScalars.contains { $0.isInvisible }, "an invisible character is written")
    try require(try JSON(text: shown) == .string(text(bytes)), "it is read as another text")
  }

  private static let cursors = FuzzTarget(
    "cursors", ["1767225600000-42", "-5--7", "018f3a5b-1c2d-7e3f-8a9b-0c1d2e3f4a5b:17", "beginning", "0"]
  ) { bytes in
    if let page = Episode.Page.Cursor(rawValue: text(bytes)) {
      try require(Episode.Page.Cursor(rawValue: page.rawValue) == page, "another place in a list")
    }
    if let change = MemoryChange.Cursor(rawValue: text(bytes)) {
      try require(MemoryChange.Cursor(rawValue: change.rawValue) == change, "another place in the history")
    }
  }

  // MARK: Values of the cache

  private static func encoded(_ value: some Cacheable) -> [UInt8] {
    var bytes = ByteWriter()
    value.encode(to: &bytes)
    return bytes.bytes
  }

  private static let episode: Episode? = try? EpisodeLine(Array(line.utf8)).episode(limits: Memory.Limits(), now: now)

  private static func again<Value: Cacheable & Equatable>(_ value: Value) throws {
    try require(encoded(try Value(from: EncodedValue(encoded(value)))) == encoded(value), "decoded again it is another")
  }

  private static let cachedEpisode = FuzzTarget("cached-episode", bytes: episode.map { [encoded($0)] } ?? []) { bytes in
    let episode = try Episode(from: EncodedValue(bytes))
    // Texts are decoded when they are read.
    _ = (episode.context, episode.steps, episode.keeping(.last(1)).steps)
  }

  private static let cachedPattern = FuzzTarget(
    "cached-pattern",
    bytes: [
      encoded(
        Pattern(
          id: "p", domain: "d", type: .toolSequence, data: ["a": [1, 2.5, "x"]], dataHash: "h", successRate: 0.5,
          usageCount: 3, lastUsed: now, createdAt: now, metadata: ["b": nil]))
    ]
  ) { bytes in try again(Pattern(from: EncodedValue(bytes))) }

  private static let cachedHits = FuzzTarget(
    "cached-hits",
    bytes: episode.map {
      [
        encoded(
          CachedHits([Hit(episode: $0, score: 1, shares: Hit.Shares(), matches: [Hit.Match(step: 1, excerpt: "x")])]))
      ]
    } ?? []
  ) { bytes in try again(CachedHits(from: EncodedValue(bytes))) }

  // MARK: What learning keeps

  private static let runTrace = FuzzTarget(
    "run-trace",
    bytes: [
      RunTrace(
        agent: "a", domain: "d", task: 1, run: 2, time: 3, succeeded: true, successRate: 0.5,
        steps: RunTrace.Step.steps(
          of: (episode?.steps ?? []).map { StepText(action: $0.action, result: $0.result, tool: $0.tool) })
      ).encoded
    ]
  ) { bytes in
    let trace = try RunTrace(encoded: bytes)
    try require(trace.steps.count <= RunTrace.longest, "\(trace.steps.count) steps")
    try require(try RunTrace(encoded: trace.encoded).encoded == trace.encoded, "decoded again it is another")
  }

  /// What a step did and what came of it, of which learning keeps a symbol.
  private static let stepText = FuzzTarget(
    "step-text",
    [
      "{\"command\": \"cd /tmp && grep -rn 'x' src | head -5\"}",
      "Traceback (most recent call last):\n  File \"a.py\", line 3",
      "error[E0308]: mismatched types --> src/main.rs:4:9", "open(17, \"a b\")",
    ]
  ) { bytes in
    let text = text(bytes)
    for success in [true, false, nil] {
      let steps = RunTrace.Step.steps(of: [StepText(action: text, result: text, tool: nil, success: success)])
      try require(steps.count == 1, "no step")
    }
  }

  // MARK: Files beside the store

  private static let manifest = FuzzTarget(
    "manifest",
    bytes: (try? JSONEncoder().encode(
      BackupManifest(
        createdAt: now, store: "s", schemaVersion: 13, revision: 7, compression: .none, bytes: 1, fileBytes: 1,
        sha256: "00",
        rows: ["episodes": 1], faults: [])
    )).map { [Array($0)] } ?? []
  ) { bytes in
    let read = try JSONDecoder().decode(BackupManifest.self, from: Data(bytes))
    try require(
      try JSONDecoder().decode(BackupManifest.self, from: JSONEncoder().encode(read)) == read, "another manifest")
  }

  private static let receipt = FuzzTarget(
    "receipt", [#"{"id": "r", "selection": {"kind": "everything", "values": []}}"#]
  ) { bytes in
    let read = try JSONDecoder().decode(ErasureReceipt.self, from: Data(bytes))
    try require(
      try JSONDecoder().decode(ErasureReceipt.self, from: JSONEncoder().encode(read)) == read, "another receipt")
  }

  // MARK: Audit and settings

  private static let digest = String(repeating: "0a", count: 32)

  /// Lines of an export of an audit, and a head.
  private static let auditLines = FuzzTarget(
    "audit-lines",
    [
      """
      {"number": 1, "at": "2026-01-01T00:00:00Z", "actor": "a", "verb": "insert", "domain": "\(digest)", "counts": \
      {"steps": 2}, "subjects": [{"kind": "episode", "id": "\(digest)", "change": "steps", "first": 1, "count": 2, \
      "content": "\(digest)"}, {"kind": "pattern", "id": "\(digest)", "change": "removed"}], "previous": "\(digest)", \
      "digest": "\(digest)"}
      """,
      """
      {"store": "s", "number": 9223372036854775807, "digest": "\(digest)", "at": "2026-01-01T00:00:00Z", "key": \
      "\(digest)", "signature": "\(digest)\(digest)"}
      """,
    ]
  ) { bytes in
    let json = try JSON(text: text(bytes))
    if let head = try? AuditHead(json: json) {
      try require(try AuditHead(json: head.json) == head, "another head")
      var chain = AuditChain(against: [head])
      if let record = try? AuditRecord(json: json) { chain.add(record) }
      _ = chain.verification().json
    }
    let record = try AuditRecord(json: json)
    // The engine counts in whole numbers; what else a line has is only digested.
    if AuditRecord.text(of: record.counts) == record.countsText {
      try require(try AuditRecord(json: record.json) == record, "another record")
    }
    var chain = AuditChain()
    for _ in 0..<2 { chain.add(record) }
    try require(!chain.verification().isPassed, "a record follows itself")
  }

  /// What a record is of, as it is stored.
  private static let auditSubjects = FuzzTarget(
    "audit-subjects",
    bytes: [
      [0, 3] + [UInt8](repeating: 7, count: 32) + [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        + [UInt8](repeating: 9, count: 32) + [1, 4] + [UInt8](repeating: 5, count: 32)
    ]
  ) { bytes in
    var again = AuditSubjects()
    guard AuditSubjects.forEach(in: bytes, { again.add($0) }) else { return }
    try require(again.bytes == bytes, "written again they are others")
  }

  /// Settings and patterns of a store that another program wrote.
  private static let settings = FuzzTarget(
    "settings",
    [
      #"{"every_seconds": 3600, "compression": "gzip", "keep": 3, "keep_for_seconds": 86400, "directory": "/x"}"#,
      #"{"seed": 1, "shuffles": 100, "false_discovery_rate": 0.05, "minimum_success_rate": 1}"#,
      #"{"kind": "resolution", "when": ["try failed"], "then": "look"}"#,
      """
      {"learned": {"direction": "prefer", "grade": "advice", "evidence": {"runs": 3, "observed": 2, "expected": 1.5}, \
      "tasks": 2, "lift_interval": [0.5, 2], "agents": {"a": {"runs": 1}}, "q": 0.1}}
      """,
    ]
  ) { bytes in
    let json = try JSON(text: text(bytes))
    if let schedule = try? BackupSchedule(json: json) {
      try require(try BackupSchedule(json: schedule.json) == schedule, "another schedule")
    }
    let options = LearningOptions(json: json)
    try require(LearningOptions(json: options.json) == options, "other options")
    try require((20...1000).contains(options.shuffles), "\(options.shuffles) shuffles")
    if let key = PatternKey(json: json) { try require(PatternKey(json: key.json) == key, "another key") }
    let pattern = Pattern(
      id: "p", domain: "d", type: .errorResolution, data: ["kind": "loop", "when": [], "then": "x"], dataHash: "h",
      successRate: nil, usageCount: 0, lastUsed: nil, createdAt: now, metadata: json)
    _ = LearnedPattern(pattern)?.json
  }
}
