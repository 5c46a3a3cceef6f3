/// What a verification of an audit found.
public struct AuditVerification: Hashable, Sendable {
  /// How many rows of which kind were compared with the records.
  public struct Rows: Hashable, Sendable {
    /// Episodes that a record has a digest of.
    public var episodes = 0
    /// Steps that a record has a digest of.
    public var steps = 0
    /// Patterns that a record has a digest of.
    public var patterns = 0
    /// Episodes, steps and patterns that no record has a digest of: they were written without an audit, or before there was one.
    public var unrecorded = 0

    package init() {}
  }

  /// How many records there are.
  public package(set) var records: Int64 = 0
  /// The number of the last one; 0 if there is none.
  public package(set) var number: Int64 = 0
  /// The digest of the last one; zeros if there is none.
  public package(set) var digest = Erasure.Digest(bytes: AuditRecord.origin)
  /// `nil` if rows were not compared.
  public package(set) var rows: Rows?
  /// What is wrong: the first 100.
  public private(set) var findings: [AuditFinding] = []
  /// How many more there are.
  public private(set) var omittedFindings = 0

  /// Whether nothing is wrong.
  public var isPassed: Bool { findings.isEmpty }

  package init() {}

  private static let maximumFindings = 100

  package mutating func found(_ kind: AuditFinding.Kind, _ number: Int64?, _ message: String) {
    guard findings.count < Self.maximumFindings else { return omittedFindings += 1 }
    findings.append(AuditFinding(kind: kind, number: number, message: message))
  }

  /// The verification as the command prints it.
  public var json: JSON {
    var members: JSON.Object = [
      "passed": .bool(isPassed), "records": .integer(records), "number": .integer(number),
      "digest": .string(digest.rawValue), "omitted_findings": .integer(Int64(omittedFindings)),
      "findings": .array(
        findings.map { finding in
          [
            "kind": .string(finding.kind.rawValue), "number": finding.number.map { .integer($0) } ?? .null,
            "message": .string(finding.message),
          ]
        }),
    ]
    if let rows {
      members["rows"] = [
        "episodes": .integer(Int64(rows.episodes)), "steps": .integer(Int64(rows.steps)),
        "patterns": .integer(Int64(rows.patterns)), "unrecorded": .integer(Int64(rows.unrecorded)),
      ]
    }
    return .object(members)
  }
}

/// Something that is wrong with an audit, or with a row that it has a digest of.
public struct AuditFinding: Hashable, Sendable {
  /// What is wrong.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// A record does not say what its digest is of: it was changed.
    case recordChanged = "record-changed"
    /// A number is missing: a record was removed.
    case recordMissing = "record-missing"
    /// A record does not follow the one before it: records were changed, exchanged or inserted.
    case orderBroken = "order-broken"
    /// A head names a record after the last one: the end was cut off, or an older copy was restored.
    case tailCut = "tail-cut"
    /// The record that a head names is another one: the chain was written again from some record on.
    case headDiffers = "head-differs"
    /// A row is not what the last record of it has a digest of.
    case rowChanged = "row-changed"
    /// A row is gone, and no record says so.
    case rowMissing = "row-missing"
    /// A row is there that a record says is gone.
    case rowReturned = "row-returned"
  }

  /// What is wrong.
  public let kind: Kind
  /// Of the record that shows it; `nil` if there is none.
  public let number: Int64?
  /// One line.
  public let message: String
}
