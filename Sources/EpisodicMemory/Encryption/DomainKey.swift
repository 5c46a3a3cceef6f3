/// A version of the key of an encrypted domain, without the key.
public struct DomainKey: Hashable, Sendable {
  /// What has become of a version.
  public enum State: String, CaseIterable, Sendable, Codable {
    /// What is written is encrypted with it.
    case current
    /// Rows are still encrypted with it: a rotation is not finished.
    case old
    /// No row is encrypted with it any more, and nobody can use it again.
    case replaced
    /// Nobody can read any more what was encrypted with it.
    case destroyed
  }

  /// The domain.
  public let domain: String
  /// Counts from 1.
  public let version: Int
  /// What has become of it.
  public let state: State
  /// Whether the domain may still have rows from before it was encrypted: an encryption is not finished.
  public let isConverting: Bool
  /// When it was made.
  public let createdAt: Timestamp
  /// When it was replaced or destroyed.
  public let endedAt: Timestamp?

  /// A value as a store returns it; for doubles in tests.
  public init(
    domain: String, version: Int, state: State, isConverting: Bool, createdAt: Timestamp, endedAt: Timestamp?
  ) {
    self.domain = domain
    self.version = version
    self.state = state
    self.isConverting = isConverting
    self.createdAt = createdAt
    self.endedAt = endedAt
  }
}

/// What was encrypted when a domain was encrypted or its key rotated.
public struct SealingReport: Hashable, Sendable {
  /// The version of the key with which all rows of the domain are encrypted now.
  public var key: DomainKey
  /// Rows that were encrypted, or encrypted again, by this call.
  public var rows: Int
  /// Why what was there before may have left traces in the files, such as a reader that keeps the log; `nil` if it has not.
  public var pending: String?

  /// A value as a store returns it; for doubles in tests.
  public init(key: DomainKey, rows: Int, pending: String? = nil) {
    self.key = key
    self.rows = rows
    self.pending = pending
  }
}

// MARK: Between memory and primary

/// A change of the keys of a store, in one transaction.
package enum KeyChange: Sendable {
  /// Makes the first key of a domain, unless it has one.
  case encrypt(domain: String)
  /// Makes the next version, unless one is not finished.
  case renew(domain: String)
  /// All rows of the domain are encrypted with the current version.
  case finish(domain: String)
  case destroy(domain: String)
  /// Encrypts all keys with another key of the store.
  case rewrap(StoreKey)
}

/// A place in the rows of a domain.
package struct SealingPosition: Hashable, Sendable {
  /// In the order in which tables are worked on.
  package var table: Int
  /// The last row.
  package var row: Int64

  package init(table: Int = 0, row: Int64 = 0) { (self.table, self.row) = (table, row) }
}

/// One slice of encrypting the rows of a domain.
package struct SealingSlice: Sendable {
  package let rows: Int
  /// Where to go on; `nil` at the end.
  package let next: SealingPosition?

  package init(rows: Int, next: SealingPosition?) { (self.rows, self.next) = (rows, next) }
}
