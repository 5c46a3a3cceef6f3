/// What a policy looks at of an episode.
package struct RetentionRecord: Hashable, Sendable {
  /// In the primary; in the order of recording.
  package let row: Int64
  package let id: Episode.ID
  package let domain: String
  package var status: Episode.Status
  package let createdAt: Timestamp
  package let completedAt: Timestamp?
  /// Of an active episode; `nil` without a step.
  package let lastStepAt: Timestamp?
  /// Whether it is linked to a pattern that was used.
  package let isLinked: Bool
  /// As `RetentionPolicy.maximumBytes` estimates them; 0 if they were not asked for.
  package let bytes: Int64

  package init(
    row: Int64, id: Episode.ID, domain: String, status: Episode.Status, createdAt: Timestamp, completedAt: Timestamp?,
    lastStepAt: Timestamp?, isLinked: Bool, bytes: Int64
  ) {
    self.row = row
    self.id = id
    self.domain = domain
    self.status = status
    self.createdAt = createdAt
    self.completedAt = completedAt
    self.lastStepAt = lastStepAt
    self.isLinked = isLinked
    self.bytes = bytes
  }

  var endedAt: Timestamp { completedAt ?? createdAt }
  var lastActivity: Timestamp { lastStepAt.map { max($0, createdAt) } ?? createdAt }
}

/// What is to happen to an episode, as it was when that was decided.
package struct RetentionDecision: Hashable, Sendable {
  package var record: RetentionRecord
  package let action: RetentionReport.Action
  package let reason: RetentionReport.Reason
  /// Whether a link to a pattern that was used, made since, keeps the episode.
  package let keepsLinked: Bool
}

/// What became of a decision in a transaction.
package enum RetentionOutcome: Hashable, Sendable {
  case applied
  /// The episode is no longer what it was: it stays.
  case moot
  /// Nobody sees it any more; it has so many steps that what is left of them is to be swept.
  case begun
}

/// What a slice did for episodes that are deleted and have rows left.
package enum DeletionSweep: Hashable, Sendable {
  /// There is none.
  case nothing
  /// An episode has rows left.
  case partly
  /// An episode has no row left.
  case finished
}

/// Decides what policies do to the episodes of a store. Each is added once, in any order.
struct RetentionPlan {
  private struct Candidate {
    let record: RetentionRecord
    /// Whether it is archived by age in this run.
    let isArchivedNow: Bool

    /// Archived ones first, then by their end; of equal ends in the order of recording.
    func precedes(_ other: Candidate) -> Bool {
      let (late, otherLate) = (isArchived ? 0 : 1, other.isArchived ? 0 : 1)
      return (late, record.endedAt, record.row) < (otherLate, other.record.endedAt, other.record.row)
    }

    private var isArchived: Bool { isArchivedNow || record.status == .archived }
  }

  /// The episodes of a domain with limits that stay as far as age decides.
  private struct Domain {
    var count = 0
    var bytes: Int64 = 0
    var candidates: [Candidate] = []
    var linked = 0
  }

  let policies: RetentionPolicies
  let now: Timestamp
  let clock: RetentionClock

  private(set) var episodes = 0
  private(set) var kept = 0
  /// Deletions first: they make room for the others.
  var decisions: [RetentionDecision] { deletions + changes }
  private var deletions: [RetentionDecision] = []
  private var changes: [RetentionDecision] = []
  private var domains: [String: Domain] = [:]

  init(_ policies: RetentionPolicies, at now: Timestamp, by clock: RetentionClock) {
    self.policies = policies
    self.now = now
    self.clock = clock
  }

  mutating func add(_ record: RetentionRecord) {
    guard let policy = policies[record.domain] else { return }
    episodes += 1
    let isKept = policy.keepsLinked && record.isLinked
    let isDone: (Duration?, Timestamp) -> Bool = { [clock, now] age, since in
      age.map { since.adding($0) <= now && clock.isBelieved(forAge: $0) } ?? false
    }
    var isArchivedNow = false
    switch record.status {
    case .active:
      if isDone(policy.abandonAfter, record.lastActivity) { decide(.abandon, .abandonAfter, record, policy) }
    case .completed, .failed, .archived:
      let isArchivable = record.status != .archived && isDone(policy.archiveAfter, record.endedAt)
      let isDeletable =
        (record.status == .archived || isArchivable) && isDone(policy.deleteArchivedAfter, record.endedAt)
      if isKept {
        if isArchivable || isDeletable { kept += 1 }
      } else if isDeletable {
        return decide(.delete, .deleteArchivedAfter, record, policy)
      } else {
        isArchivedNow = isArchivable
      }
    }
    guard policy.hasLimits else {
      if isArchivedNow { decide(.archive, .archiveAfter, record, policy) }
      return
    }
    domains[record.domain, default: Domain()].count += 1
    domains[record.domain, default: Domain()].bytes &+= record.bytes
    guard record.status != .active, !isKept else { return }
    domains[record.domain, default: Domain()].candidates.append(
      Candidate(record: record, isArchivedNow: isArchivedNow))
  }

  /// Applies the limits, when every episode has been added.
  mutating func applyLimits() {
    for (name, domain) in domains {
      guard let policy = policies[name] else { continue }
      var (count, bytes) = (domain.count, domain.bytes)
      for candidate in domain.candidates.sorted(by: { $0.precedes($1) }) {
        let reason: RetentionReport.Reason
        if count > policy.maximumEpisodes ?? .max {
          reason = .maximumEpisodes
        } else if bytes > policy.maximumBytes ?? .max {
          reason = .maximumBytes
        } else {
          if candidate.isArchivedNow { decide(.archive, .archiveAfter, candidate.record, policy) }
          continue
        }
        count -= 1
        bytes &-= candidate.record.bytes
        decide(.delete, reason, candidate.record, policy)
      }
    }
    domains = [:]
  }

  private mutating func decide(
    _ action: RetentionReport.Action, _ reason: RetentionReport.Reason, _ record: RetentionRecord,
    _ policy: RetentionPolicy
  ) {
    let decision = RetentionDecision(
      record: record, action: action, reason: reason, keepsLinked: policy.keepsLinked)
    if action == .delete { deletions.append(decision) } else { changes.append(decision) }
  }
}
