import EpisodicMemory
import SQLiteStorage
import Vectors
import StoreRows

/// A table whose rows are salvaged: how its rows look in every version of the schema, so that a row is recognised wherever it
/// is found, and how it is inserted. The rules of the new store decide besides.
struct SalvagedTable: Sendable {
  struct Column: Sendable {
    enum Kind: Sendable {
      case text
      /// One of these words.
      case word(Set<String>)
      /// JSON begins so.
      case object, json
      /// 64 hexadecimal digits.
      case hash
      case integer, real
      /// Milliseconds since 1970, of the years that the engine knows.
      case time
      /// 32-bit floats, finite and not all 0.
      case vector
      /// Of so many bytes; `nil` for any number.
      case blob(Int?)
    }

    let name: String
    let kind: Kind
    var isOptional = false
    /// Whether rows may lack it: the first version of the schema that has it came later.
    var isLater = false
    /// What rows have that lack it and may not be without.
    var earlier: Int64 = 0
    /// SQL for the value, if it is derived from the other columns of the row and not taken from it. Of an encrypted row it is taken,
    /// for its texts are not there.
    var derivation: String?
  }

  let name: String
  /// The name of the row id among the columns of the table; `nil` for a table without row ids.
  let rowID: String?
  /// In the order of a row, without the row id.
  let columns: [Column]
  /// A column that rows of earlier versions lack in the middle, and what it is for them.
  var insertedColumn: (index: Int, value: StoredValue, count: Int)?
  /// Rows that are left behind, by the value of the first column: what is said there is of the old store alone.
  var leftBehind: Set<String> = []
  /// SQL for what is kept of a row whose owner is lost, as a JSON object; `nil` if it cannot be without one.
  var orphanContent: String?

  /// The values of a row in the order of `columns`, or `nil` if it is no row of this table.
  func values(_ rowID: Int64?, _ stored: [StoredValue]) -> [StoredValue]? {
    var values = stored
    if self.rowID != nil {
      guard let rowID, rowID > 0, values.first == .null else { return nil }
      values.removeFirst()
    } else if rowID != nil {
      return nil
    }
    if let inserted = insertedColumn, values.count == inserted.count {
      values.insert(inserted.value, at: inserted.index)
    }
    guard values.count <= columns.count else { return nil }
    let isSealed = isSealed(values)
    for (value, column) in zip(values, columns) where !column.accepts(value) {
      // The ciphertext of a vector is none.
      guard isSealed, case .vector = column.kind, case .blob = value else { return nil }
    }
    guard columns.dropFirst(values.count).allSatisfy(\.isLater) else { return nil }
    return values
  }

  /// Whether a row is encrypted: what stands beside is of digests.
  func isSealed(_ values: [StoredValue]) -> Bool {
    guard columns.last?.name == "sealed", values.count == columns.count, case .blob? = values.last else { return false }
    return true
  }

  func isLeftBehind(_ values: [StoredValue]) -> Bool {
    !leftBehind.isEmpty && values.first?.text.map(leftBehind.contains) == true
  }

  /// Whether what a row keeps beside its texts is what this build makes of them; `nil` if it keeps nothing.
  ///
  /// - Parameter values: Of a row of this table.
  func agreesWithDerived(_ values: [StoredValue]) -> Bool? {
    func text(_ index: Int) -> String? { index < values.count ? values[index].text : nil }
    if isSealed(values) { return nil }
    switch name {
    case "episodes":
      guard let added = text(11), let labels = text(12), let context = text(4) else { return nil }
      let words = AddedWords.labels(
        taskType: text(1) ?? "", session: text(3), metadata: JSON(storedObject: text(9) ?? "{}"))
      return added.utf8.elementsEqual(AddedWords.of(context: context).utf8) && labels.utf8.elementsEqual(words.utf8)
    case "steps":
      guard let added = text(9), let action = text(3) else { return nil }
      return added.utf8.elementsEqual(AddedWords.of(action: action, result: text(4), tool: text(5)).utf8)
    case "patterns":
      guard let data = text(3), let hash = text(4) else { return nil }
      return JSON(stored: data).canonicalHash == hash
    default: return nil
    }
  }
}

extension StoredValue {
  fileprivate var text: String? {
    guard case .text(let bytes) = self else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension SalvagedTable.Column {
  func accepts(_ value: StoredValue) -> Bool {
    switch (value, kind) {
    case (.null, _): return isOptional
    case (.integer, .integer), (.integer, .real), (.real, .real): return true
    case (.integer(let value), .time): return Timestamp.accepted.contains(Timestamp(milliseconds: value))
    case (.blob(let bytes), .vector):
      return (try? Vector(littleEndianFloat32: bytes.span.bytes, dimensions: nil)) != nil
    case (.blob(let bytes), .blob(let count)): return count == nil || bytes.count == count
    case (.text(let bytes), _):
      // SQLite keeps a text that is none; nothing can be made of it.
      guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else { return false }
      switch kind {
      case .text, .json: return true
      case .word(let words): return words.contains(text)
      case .object: return bytes.first { $0 > 32 } == UInt8(ascii: "{")
      case .hash: return bytes.count == 64 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
      case .integer, .real, .time, .vector, .blob: return false
      }
    default: return false
    }
  }
}

extension SalvagedTable {
  /// The column that migration 007 added in the midst of the others.
  private static let patternDomain = 1

  private static let sources = Set(Provenance.Source.allCases.map(\.rawValue))

  /// In the order of insertion: what others belong to comes first.
  static let all: [SalvagedTable] = [
    SalvagedTable(
      name: "patterns", rowID: "seq",
      columns: [
        Column(name: "id", kind: .text), Column(name: "domain", kind: .text), Column(name: "pattern_type", kind: .text),
        Column(name: "pattern_data", kind: .json), Column(name: "data_hash", kind: .hash),
        Column(name: "success_rate", kind: .real, isOptional: true), Column(name: "usage_count", kind: .integer),
        Column(name: "last_used", kind: .time, isOptional: true), Column(name: "created_at", kind: .time),
        Column(name: "metadata", kind: .object),
        Column(name: "trust", kind: .integer, isOptional: true, isLater: true),
        Column(name: "least_trust", kind: .integer, isLater: true, earlier: Int64(Trust.trusted.level)),
        Column(name: "sealed", kind: .blob(nil), isOptional: true, isLater: true),
      ], insertedColumn: (index: patternDomain, value: .text([]), count: 9)),
    SalvagedTable(
      name: "episodes", rowID: "seq",
      columns: [
        Column(name: "id", kind: .text), Column(name: "task_type", kind: .text), Column(name: "domain", kind: .text),
        Column(name: "session", kind: .text, isOptional: true), Column(name: "context", kind: .text),
        Column(name: "status", kind: .word(["active", "completed", "failed", "archived"])),
        Column(name: "success_rate", kind: .real, isOptional: true), Column(name: "created_at", kind: .time),
        Column(name: "completed_at", kind: .time, isOptional: true), Column(name: "metadata", kind: .object),
        Column(name: "embedding_version", kind: .integer, isLater: true),
        Column(
          name: "added", kind: .text, isOptional: true, isLater: true,
          derivation: "episodic_added(?6)"),
        Column(
          name: "labels", kind: .text, isOptional: true, isLater: true,
          derivation: "episodic_labels(?3, ?5, ?11)"),
        Column(name: "source", kind: .word(Self.sources), isOptional: true, isLater: true),
        Column(name: "source_id", kind: .text, isOptional: true, isLater: true),
        Column(name: "actor", kind: .text, isOptional: true, isLater: true),
        Column(name: "trust", kind: .integer, isOptional: true, isLater: true),
        Column(name: "derived_from", kind: .json, isOptional: true, isLater: true),
        Column(name: "least_trust", kind: .integer, isLater: true, earlier: Int64(Trust.trusted.level)),
        Column(name: "sealed", kind: .blob(nil), isOptional: true, isLater: true),
      ]),
    SalvagedTable(
      name: "steps", rowID: "seq",
      columns: [
        Column(name: "id", kind: .text), Column(name: "episode_id", kind: .text),
        Column(name: "step_number", kind: .integer), Column(name: "action", kind: .text),
        Column(name: "result", kind: .text, isOptional: true), Column(name: "tool", kind: .text, isOptional: true),
        Column(name: "duration_ms", kind: .integer, isOptional: true),
        Column(name: "success", kind: .integer, isOptional: true), Column(name: "timestamp", kind: .time),
        Column(
          name: "added", kind: .text, isOptional: true, isLater: true,
          derivation: "episodic_added(?5, ?6, ?7)"),
        Column(name: "source", kind: .word(Self.sources), isOptional: true, isLater: true),
        Column(name: "source_id", kind: .text, isOptional: true, isLater: true),
        Column(name: "actor", kind: .text, isOptional: true, isLater: true),
        Column(name: "trust", kind: .integer, isOptional: true, isLater: true),
        Column(name: "sealed", kind: .blob(nil), isOptional: true, isLater: true),
      ],
      orphanContent: """
        json_object('id', ?2, 'episode_id', ?3, 'step_number', ?4, 'action', ?5, 'result', ?6, 'tool', ?7,
            'duration_ms', ?8, 'success', ?9, 'timestamp', ?10, 'source', ?11, 'source_id', ?12, 'actor', ?13, 'trust', ?14,
            'sealed', iif(?15 IS NULL, NULL, hex(?15)))
        """),
    SalvagedTable(
      name: "embeddings", rowID: "seq",
      columns: [
        Column(name: "id", kind: .text), Column(name: "episode_id", kind: .text),
        Column(name: "step_id", kind: .text, isOptional: true), Column(name: "content", kind: .text),
        Column(name: "embedding", kind: .vector), Column(name: "model_name", kind: .text),
        Column(name: "dimensions", kind: .integer), Column(name: "created_at", kind: .time),
        Column(name: "sealed", kind: .blob(nil), isOptional: true, isLater: true),
      ],
      orphanContent: """
        json_object('id', ?2, 'episode_id', ?3, 'step_id', ?4, 'content', ?5, 'embedding', hex(?6), 'model_name', ?7,
            'dimensions', ?8, 'created_at', ?9, 'sealed', iif(?10 IS NULL, NULL, hex(?10)))
        """),
    SalvagedTable(
      name: "episode_patterns", rowID: nil,
      columns: [Column(name: "episode_id", kind: .text), Column(name: "pattern_id", kind: .text)],
      orphanContent: "json_object('episode_id', ?1, 'pattern_id', ?2)"),
    SalvagedTable(
      name: "trust_decisions", rowID: "number",
      columns: [
        Column(name: "episode_id", kind: .text, isOptional: true),
        Column(name: "step_id", kind: .text, isOptional: true),
        Column(name: "pattern_id", kind: .text, isOptional: true), Column(name: "trust", kind: .integer),
        Column(name: "before", kind: .integer), Column(name: "actor", kind: .text),
        Column(name: "reason", kind: .text, isOptional: true), Column(name: "decided_at", kind: .time),
      ]),
    SalvagedTable(
      name: "orphans_kept", rowID: "seq",
      columns: [
        Column(name: "source", kind: .word(["steps", "embeddings", "episode_patterns"])),
        Column(name: "content", kind: .object),
      ]),
    SalvagedTable(
      name: "idempotency_keys", rowID: nil,
      columns: [
        Column(name: "domain", kind: .text), Column(name: "key", kind: .text),
        Column(name: "verb", kind: .word(["begin", "append"])),
        Column(name: "digest", kind: .blob(32), isOptional: true), Column(name: "episode_id", kind: .text),
        Column(name: "answer", kind: .json), Column(name: "created_at", kind: .time),
      ]),
    SalvagedTable(
      name: "settings", rowID: nil,
      columns: [
        Column(name: "name", kind: .text), Column(name: "value", kind: .json),
        Column(name: "changed_at", kind: .integer),
      ], leftBehind: [FeedPruning.setting]),
    SalvagedTable(
      name: "erasures", rowID: "seq",
      columns: [
        Column(name: "id", kind: .text), Column(name: "selection", kind: .json), Column(name: "counts", kind: .json),
        Column(name: "erased_at", kind: .integer), Column(name: "cleaned_at", kind: .integer, isOptional: true),
        Column(name: "backups", kind: .json),
      ]),
    SalvagedTable(
      name: "erased", rowID: nil,
      columns: [
        Column(name: "digest", kind: .blob(32)),
        Column(name: "kind", kind: .word(["episode", "pattern", "idempotency_key", "orphan"])),
        Column(name: "erasure", kind: .integer),
      ]),
    SalvagedTable(
      name: "consolidated_runs", rowID: nil, columns: [Column(name: "run_id", kind: .text)]),
    SalvagedTable(
      name: "cache_hours", rowID: nil,
      columns: [
        Column(name: "hour", kind: .integer), Column(name: "kind", kind: .word(["episode", "pattern", "query"])),
        Column(name: "hits", kind: .integer), Column(name: "misses", kind: .integer),
      ]),
    SalvagedTable(
      name: "audit", rowID: "number",
      columns: [
        Column(name: "at", kind: .integer), Column(name: "actor", kind: .text), Column(name: "verb", kind: .text),
        Column(name: "domain", kind: .blob(32), isOptional: true), Column(name: "counts", kind: .object),
        Column(name: "subjects", kind: .blob(nil)), Column(name: "previous", kind: .blob(32)),
        Column(name: "digest", kind: .blob(32)),
      ]),
    // After the rows: from the first key of a domain on, no row of it that is not encrypted is taken.
    SalvagedTable(
      name: "domain_keys", rowID: "number",
      columns: [
        Column(name: "domain", kind: .text), Column(name: "version", kind: .integer),
        Column(name: "state", kind: .word(["current", "old", "replaced", "destroyed"])),
        Column(name: "wrapped", kind: .blob(nil), isOptional: true), Column(name: "admits", kind: .integer),
        Column(name: "created_at", kind: .integer), Column(name: "ended_at", kind: .integer, isOptional: true),
      ]),
  ]

  static let salt = "key_salt"

  /// The row that names the store; its key of digests is taken over, so that receipts can be verified, and the salt of keys.
  static let store = SalvagedTable(
    name: "store", rowID: "singleton",
    columns: [
      Column(name: "uuid", kind: .text), Column(name: "digest_key", kind: .blob(32), isOptional: true, isLater: true),
      Column(name: salt, kind: .blob(32), isOptional: true, isLater: true),
    ])
}
