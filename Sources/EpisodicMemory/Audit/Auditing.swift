/// Whether what a process writes to a store leaves records in the store's audit, and whose they are.
public enum Auditing: Hashable, Sendable {
  /// No record, and no cost. A store that requires an audit refuses writes then.
  case off
  /// Each write leaves a record in its own transaction: without the record, nothing is written.
  ///
  /// The actor is a name of 1 to 128 bytes without control characters: who the process writes for. It stands in the records as it
  /// is, and no erasure removes it.
  case on(actor: String)

  /// The actor, in normalisation form C; `nil` if nothing is recorded.
  ///
  /// - Throws: `.invalid` for a name that cannot be one.
  package func validatedActor() throws(MemoryError) -> String? {
    guard case .on(let name) = self else { return nil }
    let actor = name.canonicallyComposed
    guard (1...128).contains(actor.utf8.count),
      actor.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F && !$0.isInvisible })
    else {
      throw MemoryError(
        .invalid,
        "the actor \(JSON.string(actor.shortened(to: 60)).outputText) is no name of 1 to 128 bytes that can be seen; give another"
      )
    }
    return actor
  }
}

/// What a record of the audit is of: the first word of each is what a verb of `Memory` is called.
package enum AuditVerb {
  package static let begin = "begin", append = "append", insert = "insert", update = "update", delete = "delete"
  package static let complete = "complete", fail = "fail", archive = "archive", reopen = "reopen"
  package static let recordPattern = "record_pattern", deletePattern = "delete_pattern", markUsed = "mark_used"
  package static let link = "link", unlink = "unlink", embed = "embed", deleteEmbedding = "delete_embedding"
  package static let advice = "advice", consolidate = "consolidate", retention = "retention", trust = "trust"
  package static let forget = "forget", repeatErasure = "repeat_erasure"
  package static let restore = "restore", salvage = "salvage"
  package static let encrypt = "encrypt", rotateKey = "rotate_key", destroyKey = "destroy_key"
  package static let rotateStoreKey = "rotate_store_key"
  package static let maintain = "maintain", rebuild = "rebuild", optimize = "optimize"

  /// Of a change of a setting, by its name in the store.
  package static func set(_ setting: String) -> String { "set_" + setting }
}

/// The setting by which a store refuses writes of processes that do not audit.
package enum AuditSetting {
  package static let name = "audit"
  package static let required: JSON = ["required": true]
}
