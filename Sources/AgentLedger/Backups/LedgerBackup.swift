public import StoreValues

extension Ledger {
  /// A verified copy of a ledger, of one moment, in one file.
  public struct Backup: Hashable, Sendable, Codable {
    /// Of the file.
    public let path: String
    /// Of its snapshot, by the clock of the ledger.
    public let createdAt: Timestamp
    /// Of the file.
    public let fileBytes: Int64
    /// By table.
    public let rows: [String: Int]
    /// What is wrong in the ledger itself, and so in its copy; see `Ledger.check()`.
    public let faults: [String]

    private enum CodingKeys: String, CodingKey {
      case path
      case createdAt = "created_at"
      case fileBytes = "file_bytes"
      case rows, faults
    }
  }

  /// What a restore did.
  public struct Restored: Hashable, Sendable, Codable {
    /// The backup.
    public let backup: String
    /// Where the ledger that was there is kept, and its log if it has one; empty if there was none.
    public let kept: [String]
    /// Why that could only be moved aside as it was; `nil` if it was whole.
    public let damage: String?
    /// By table.
    public let rows: [String: Int]
  }
}
