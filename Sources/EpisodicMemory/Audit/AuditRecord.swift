import ByteCoding

/// One record of the audit of a store: who did what, when, and to what.
///
/// What was written to is named by keyed digests of ids, so that a record tells nobody without the store what it is of, and stays as
/// it is when that is erased. Each record has the digest of the one before it, and its own is SHA-256 over all that it says.
public struct AuditRecord: Hashable, Sendable {
  /// Something that a record is of.
  public struct Subject: Hashable, Sendable {
    /// What it is.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
      /// An episode.
      case episode
      /// A pattern.
      case pattern
    }

    /// What was done to it.
    public enum Change: Hashable, Sendable {
      /// It was named: a link or a vector of it changed, and no text of its own.
      case named
      /// It was written whole, and steps that records before this one name are gone. The digest is of its row.
      case written(Erasure.Digest)
      /// Its row was changed, and not its steps. The digest is of the row.
      case changed(Erasure.Digest)
      /// Steps of consecutive numbers were appended to it. The digest is of all of them.
      case steps(first: Int, count: Int, Erasure.Digest)
      /// It is gone.
      case removed
    }

    /// What it is.
    public let kind: Kind
    /// Of its id, as `Memory.erasureDigest(_:of:)` gives it.
    public let id: Erasure.Digest
    /// What was done to it.
    public let change: Change
  }

  /// From 1 on, without a gap.
  public let number: Int64
  /// By the clock of the process that wrote it.
  public let at: Timestamp
  /// Who wrote it.
  public let actor: String
  /// What was done, such as `append`; the page AuditTrail lists the words.
  public let verb: String
  package let domainBytes: [UInt8]?
  package let countsText: String
  package let subjectBytes: [UInt8]
  package let previousBytes: [UInt8]
  package let digestBytes: [UInt8]

  /// A record as it is stored, right or wrong.
  package init(
    number: Int64, at: Timestamp, actor: String, verb: String, domain: [UInt8]?, counts: String, subjects: [UInt8],
    previous: [UInt8], digest: [UInt8]
  ) {
    (self.number, self.at, self.actor, self.verb) = (number, at, actor, verb)
    (domainBytes, countsText, subjectBytes) = (domain, counts, subjects)
    (previousBytes, digestBytes) = (previous, digest)
  }

  /// Keyed digest of the name of the domain that all of it was in; `nil` for what concerns the whole store.
  public var domain: Erasure.Digest? { domainBytes.map(Erasure.Digest.init(bytes:)) }
  /// How many of what were written, by what it is: `["steps": 3]`.
  public var counts: [String: Int] {
    // Written by the engine. What another program made of it is of no digest.
    guard let members = try? JSON(text: countsText).members else { return [:] }
    return Dictionary(members.compactMap { name, value in value.count.map { (name, $0) } }) { first, _ in first }
  }
  /// Digest of the record before; zeros for the first one.
  public var previous: Erasure.Digest { Erasure.Digest(bytes: previousBytes) }
  /// SHA-256 of all of the above and of the subjects.
  public var digest: Erasure.Digest { Erasure.Digest(bytes: digestBytes) }
  /// What it is of; at most 256, and then the next record goes on.
  public var subjects: [Subject] {
    var subjects: [Subject] = []
    AuditSubjects.forEach(in: subjectBytes) { entry in subjects.append(Subject(entry)) }
    return subjects
  }

  /// What the digest has to be.
  package var computedDigest: [UInt8] {
    Self.digest(
      number: number, at: at, actor: actor, verb: verb, domain: domainBytes, counts: countsText, subjects: subjectBytes,
      previous: previousBytes)
  }

  /// Without a key, so that an export can be verified without the store.
  package static func digest(
    number: Int64, at: Timestamp, actor: String, verb: String, domain: [UInt8]?, counts: String, subjects: [UInt8],
    previous: [UInt8]
  ) -> [UInt8] {
    var bytes = ByteWriter(capacity: 256 + subjects.count)
    bytes.write(Self.form)
    bytes.write(number)
    bytes.write(at.milliseconds)
    bytes.write(actor)
    bytes.write(verb)
    bytes.write(domain) { $0.writeRaw($1) }
    bytes.write(counts)
    bytes.write(UInt32(clamping: subjects.count))
    bytes.writeRaw(subjects)
    bytes.writeRaw(previous)
    return SHA256.digest(of: bytes.bytes)
  }

  /// Of the bytes that are digested.
  private static let form: UInt8 = 1
  /// What the first record has for the one before it.
  package static let origin = [UInt8](repeating: 0, count: 32)

  /// The text of counts in a record.
  package static func text(of counts: [String: Int]) -> String {
    // As JSON writes it, without what that costs: the names are words of the engine.
    "{" + counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
  }
}

extension JSON {
  fileprivate var count: Int? {
    if case .integer(let value) = self { Int(exactly: value) } else { nil }
  }
}

extension Erasure.Digest {
  package init(bytes: [UInt8]) { self.init(rawValue: bytes.hexadecimal) }
}
