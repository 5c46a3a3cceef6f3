/// One attempt at one task, from start to outcome, with the steps it took.
public struct Episode: Identifiable, Hashable, Sendable {
  public typealias ID = Identifier<Episode>

  /// Where an episode stands.
  public enum Status: String, CaseIterable, Sendable, Codable, JSONConvertible {
    /// Running: steps may be appended.
    case active
    /// Ended: `completed` well, `failed` not. No steps can be appended.
    case completed, failed
    /// Kept, but recalled only if a query names this status.
    case archived
  }

  public let id: ID
  /// The kind of task.
  public var taskType: TaskType
  /// The privacy boundary: a recall for one domain returns nothing of another (I8).
  public let domain: String
  /// Groups the episodes of one workflow or conversation.
  public var session: String?
  /// Where it stands.
  public var status: Status
  /// 0...1, `nil` if unknown.
  public var successRate: Double?
  /// When it began.
  public var createdAt: Timestamp
  /// When it was completed or failed; `nil` before.
  public var completedAt: Timestamp?
  /// A JSON object.
  public var metadata: JSON
  /// Where it came from.
  public var provenance: Provenance
  /// The episodes that it was derived from, such as those that it sums up; some may be gone.
  public let parents: [ID]
  /// The least trust of the episode, its steps and its parents: what recall goes by.
  public package(set) var trust: Trust
  /// Counts the changes of this episode's vectors; 0 if it never had one.
  public var embeddingVersion: Int64
  /// Steps of the episode that are not in `steps`: those before them if it was read in part, any if it was cut to a number
  /// of tokens; 0 for a whole episode.
  public package(set) var omittedSteps = 0
  private var texts: Texts

  /// Context and steps, or their binary form until first use: a cache hit decodes only what is read.
  private enum Texts: Sendable {
    case plain(context: String, steps: [Step])
    case encoded(EncodedEpisode)
  }

  /// A value as a store returns it; for doubles in tests.
  ///
  /// - Parameter trust: `nil`: the least of the episode and its steps.
  public init(
    id: ID, taskType: TaskType, domain: String, session: String? = nil, context: String, status: Status = .active,
    successRate: Double? = nil, createdAt: Timestamp, completedAt: Timestamp? = nil, metadata: JSON = [:],
    provenance: Provenance = Provenance(), parents: [ID] = [], trust: Trust? = nil, embeddingVersion: Int64 = 0,
    steps: [Step] = []
  ) {
    self.id = id
    self.taskType = taskType
    self.domain = domain.canonicallyComposed
    self.session = session?.canonicallyComposed
    self.status = status
    self.successRate = successRate
    self.createdAt = createdAt
    self.completedAt = completedAt
    self.metadata = metadata
    self.provenance = provenance
    self.parents = parents
    self.trust = .trusted
    self.embeddingVersion = embeddingVersion
    texts = .plain(context: context, steps: steps)
    self.trust = trust ?? ownTrust
  }

  /// For a value that the engine stored, whose names are in normalisation form C already.
  init(
    id: ID, taskType: TaskType, domain: String, session: String?, status: Status, successRate: Double?,
    createdAt: Timestamp, completedAt: Timestamp?, metadata: JSON, provenance: Provenance, parents: [ID], trust: Trust,
    embeddingVersion: Int64, texts: EncodedEpisode
  ) {
    self.id = id
    self.taskType = taskType
    self.domain = domain
    self.session = session
    self.status = status
    self.successRate = successRate
    self.createdAt = createdAt
    self.completedAt = completedAt
    self.metadata = metadata
    self.provenance = provenance
    self.parents = parents
    self.trust = trust
    self.embeddingVersion = embeddingVersion
    self.texts = .encoded(texts)
  }

  /// The task in words; searched by words, and usually embedded.
  public var context: String {
    get {
      switch texts {
      case .plain(let context, _): context
      case .encoded(let encoded): encoded.context
      }
    }
    set { texts = .plain(context: newValue, steps: steps) }
  }

  /// How many steps the episode has, whether they were read or not.
  public var stepCount: Int {
    switch texts {
    case .plain(_, let steps): steps.count + omittedSteps
    case .encoded(let encoded): encoded.stepCount + omittedSteps
    }
  }

  /// Omits all but the last `count` of the steps that are here.
  ///
  /// - Parameter count: Less than there are.
  mutating func keepSteps(last count: Int) {
    omittedSteps = stepCount - count
    switch texts {
    case .plain(let context, let steps): texts = .plain(context: context, steps: Array(steps.suffix(count)))
    case .encoded(let encoded):
      texts = .plain(context: encoded.context, steps: encoded.lastSteps(count))
    }
  }

  /// Keeps a part of the texts.
  ///
  /// - Parameter count: The steps that there are.
  mutating func keep(context: String, steps: [Step], of count: Int) {
    omittedSteps = count - steps.count
    texts = .plain(context: context, steps: steps)
  }

  /// In the order of their numbers; the selected ones if the episode was read in part.
  public var steps: [Step] {
    get {
      switch texts {
      case .plain(_, let steps): steps
      case .encoded(let encoded): encoded.steps
      }
    }
    // In place, so that appending a step does not copy the others.
    _modify {
      let context = context
      var steps = steps
      texts = .plain(context: context, steps: [])
      defer { texts = .plain(context: context, steps: steps) }
      yield &steps
    }
  }
}

extension Episode {
  public static func == (a: Self, b: Self) -> Bool {
    a.id == b.id && a.taskType == b.taskType && a.domain == b.domain && a.session == b.session && a.status == b.status
      && a.successRate == b.successRate && a.createdAt == b.createdAt && a.completedAt == b.completedAt
      && a.metadata == b.metadata && a.provenance == b.provenance && a.parents == b.parents && a.trust == b.trust
      && a.embeddingVersion == b.embeddingVersion
      && a.omittedSteps == b.omittedSteps && hasEqualTexts(a, b)
  }

  private static func hasEqualTexts(_ a: Self, _ b: Self) -> Bool {
    if case .encoded(let first) = a.texts, case .encoded(let second) = b.texts, first.isIdentical(to: second) {
      return true
    }
    return a.context == b.context && a.steps == b.steps
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(taskType)
    hasher.combine(domain)
    hasher.combine(session)
    hasher.combine(status)
    hasher.combine(successRate)
    hasher.combine(createdAt)
    hasher.combine(completedAt)
    hasher.combine(metadata)
    hasher.combine(provenance)
    hasher.combine(parents)
    hasher.combine(trust)
    hasher.combine(embeddingVersion)
    hasher.combine(omittedSteps)
    hasher.combine(context)
    hasher.combine(steps)
  }
}

extension Episode {
  /// The least trust of the episode itself and of its steps, before what it was derived from.
  package var ownTrust: Trust {
    steps.reduce(provenance.level ?? .trusted) { least, step in min(least, step.provenance.level ?? least) }
  }
}

/// Prints and inspects a decoded and an encoded episode alike.
extension Episode: CustomReflectable {
  public var customMirror: Mirror {
    Mirror(
      self,
      children: [
        "id": id, "taskType": taskType, "domain": domain, "session": session as Any, "context": context,
        "status": status, "successRate": successRate as Any, "createdAt": createdAt,
        "completedAt": completedAt as Any, "metadata": metadata, "provenance": provenance, "parents": parents,
        "trust": trust, "embeddingVersion": embeddingVersion,
        "omittedSteps": omittedSteps, "steps": steps,
      ], displayStyle: .struct)
  }
}

/// The kind of task of an episode; an open set.
public struct TaskType: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible,
  JSONConvertible
{
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue.canonicallyComposed }
  /// A kind of task of your own; names are in Unicode form NFC.
  public init(_ rawValue: String) { self.init(rawValue: rawValue) }
  public init(stringLiteral value: String) { self.init(rawValue: value) }
  public var description: String { rawValue }

  /// Writing new code.
  public static let codeGeneration = TaskType("code_generation")
  /// Finding and removing a fault.
  public static let debugging = TaskType("debugging")
  /// Changing the shape of code and not what it does.
  public static let refactoring = TaskType("refactoring")
  /// Checking that something works.
  public static let testing = TaskType("testing")
  /// Finding out how something is.
  public static let analysis = TaskType("analysis")
  /// Writing for people.
  public static let documentation = TaskType("documentation")
}
