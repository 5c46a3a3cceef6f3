import ByteCoding
import EpisodicMemory
import Foundation
import Interchange
import StoreValues

extension FuzzTarget {
  /// All of them, by name.
  package static let all: [FuzzTarget] = [
    json, episodeLine, queryLine, time, timeCue, terms, redaction, terminal, cursors, cachedEpisode,
    cachedPattern,
    cachedHits, manifest, receipt,
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
      "in the last 99999999999 days", "yesterday at 5pm, or on 2024-02-30", "the first monday of next month",
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
}
