/// What was found in a store and its surroundings, and what was looked at.
public struct Diagnosis: Codable, Hashable, Sendable {
  /// How much a finding matters.
  public enum Severity: String, CaseIterable, Codable, Hashable, Sendable {
    /// Worth knowing; nothing is wrong.
    case note
    /// Works now, and may not go on.
    case warning
    /// Something does not work, or answers are slower or not all there.
    case failure
    /// What was acknowledged may be lost: restore a backup, or save what can be read.
    case damage
  }

  /// One thing that is not as it should be.
  public struct Finding: Codable, Hashable, Sendable {
    /// Names the kind of finding, and stays the same from version to version: `log-long`.
    public let code: String
    /// How much it matters.
    public let severity: Severity
    /// What it is about: a file, a table, a process.
    public let subject: String
    /// What was found and what that means, in one line.
    public let meaning: String
    /// What to do, in one line.
    public let remedy: String
    /// Whether `Memory.repair` mends it.
    public let isMendable: Bool

    /// A finding; for doubles in tests.
    public init(
      code: String, severity: Severity, subject: String, meaning: String, remedy: String, isMendable: Bool
    ) {
      self.code = code
      self.severity = severity
      self.subject = subject
      self.meaning = meaning
      self.remedy = remedy
      self.isMendable = isMendable
    }

    private enum CodingKeys: String, CodingKey {
      case code, severity, subject, meaning, remedy
      case isMendable = "mendable"
    }
  }

  /// One thing that was looked at.
  public struct Observation: Codable, Hashable, Sendable {
    /// What it is: `free space`.
    public let name: String
    /// How it is, for people: `58 GiB of 252 GiB`.
    public let value: String

    /// An observation; for doubles in tests.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The directory of the store, or what stands for it.
  public let store: String
  /// The gravest first.
  public let findings: [Finding]
  /// In the order in which it was looked at.
  public let observations: [Observation]
  /// What a repair did, one line each; empty if none was asked for.
  public let repairs: [String]

  /// A diagnosis; for doubles in tests.
  public init(store: String, findings: [Finding], observations: [Observation], repairs: [String] = []) {
    self.store = store
    self.findings = findings
    self.observations = observations
    self.repairs = repairs
  }

  /// Whether nothing was found but notes.
  public var isHealthy: Bool { findings.allSatisfy { $0.severity == .note } }
  /// Whether what was acknowledged may be lost.
  public var isDamaged: Bool { findings.contains { $0.severity == .damage } }
}
