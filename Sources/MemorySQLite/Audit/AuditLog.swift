import EpisodicMemory
import Foundation
import GRDB
import SQLiteStorage

/// The records of one transaction, noted while it writes and written at its end.
///
/// One record for each verb and domain of a call, and one for all appends that share a commit and a domain: a record costs
/// little beside a commit and much beside a step in it. Used on the writer's thread alone.
final class AuditLog {
  private struct Pending {
    let verb: String
    let domain: String?
    var counts: [String: Int] = [:]
    var subjects = AuditSubjects()
  }

  private let actor: String
  private let clock: any WallClock
  let digests: ErasureDigests
  private var pending: [Pending] = []
  /// Of a verb that consists of others.
  private var outerVerb: String?

  init(actor: String, clock: any WallClock, digests: ErasureDigests) {
    (self.actor, self.clock, self.digests) = (actor, clock, digests)
  }

  /// What `body` notes is of this verb.
  func during<Value>(_ verb: String, _ body: () throws -> Value) rethrows -> Value {
    let outer = outerVerb
    outerVerb = outer ?? verb
    defer { outerVerb = outer }
    return try body()
  }

  // MARK: Noting

  /// Counts something.
  func note(_ verb: String, in domain: String?, _ counts: [String: Int] = [:]) {
    let index = record(verb, domain)
    for (name, count) in counts where count != 0 { pending[index].counts[name, default: 0] += count }
  }

  /// An episode with its steps, as it was inserted.
  func noteWritten(_ episode: Episode, _ verb: String) {
    let index = record(verb, episode.domain)
    let id = digests.bytes(Erasure.Subject.episode.rawValue, episode.id.rawValue)
    var row = RowContent(.episode)
    row.write(episode)
    pending[index].subjects.add(.episode, .written, id, content: digests.digest(of: row))
    pending[index].counts["episodes", default: 0] += 1
    guard !episode.steps.isEmpty else { return }
    note(episode.steps, of: episode.id, digest: id, verb, in: episode.domain)
  }

  /// Steps that were appended to an episode.
  func noteSteps(_ steps: [Step], of episode: Episode.ID, _ verb: String, in domain: String) {
    note(
      steps, of: episode, digest: digests.bytes(Erasure.Subject.episode.rawValue, episode.rawValue), verb, in: domain)
  }

  private func note(_ steps: [Step], of episode: Episode.ID, digest id: [UInt8], _ verb: String, in domain: String) {
    var rest = steps.sorted { $0.number < $1.number }[...]
    while let first = rest.first {
      var run = 1
      while run < rest.count, rest[rest.startIndex + run].number == first.number + run { run += 1 }
      var content = RowContent(.steps)
      content.write(text: episode.rawValue)
      for step in rest.prefix(run) { content.write(step, in: domain) }
      rest = rest.dropFirst(run)
      let index = record(verb, domain)
      pending[index].subjects.add(
        .episode, .steps, id, first: Int64(first.number), count: Int64(run), content: digests.digest(of: content))
      pending[index].counts["steps", default: 0] += run
    }
  }

  /// The row of an episode after a change, from the table.
  ///
  /// - Parameter counts: Whether it is counted.
  func noteChanged(_ episode: Episode.ID, _ verb: String, counts: Bool = true, _ db: Database) throws {
    var rows = try RawStatement("\(RowContent.selectEpisode) WHERE id = ?", db)
    try rows.bind(episode.rawValue)
    guard try rows.step() else { return }
    var content = RowContent(.episode)
    try content.write(episode: rows, db)
    let index = record(verb, rows.text(RowContent.episodeDomain))
    pending[index].subjects.add(
      .episode, .changed, digests.bytes(Erasure.Subject.episode.rawValue, episode.rawValue),
      content: digests.digest(of: content))
    if counts { pending[index].counts["episodes", default: 0] += 1 }
  }

  /// The row of a pattern after a change, from the table.
  func noteChanged(_ pattern: Pattern.ID, _ verb: String, _ db: Database) throws {
    var rows = try RawStatement("\(RowContent.selectPattern) WHERE id = ?", db)
    try rows.bind(pattern.rawValue)
    guard try rows.step() else { return }
    var content = RowContent(.pattern)
    try content.write(pattern: rows, db)
    let domain = rows.text(RowContent.patternDomain)
    let index = record(verb, domain.isEmpty ? nil : domain)
    pending[index].subjects.add(
      .pattern, .written, digests.bytes(Erasure.Subject.pattern.rawValue, pattern.rawValue),
      content: digests.digest(of: content))
    pending[index].counts["patterns", default: 0] += 1
  }

  /// - Parameter counts: Whether it is counted.
  func noteRemoved(
    _ kind: AuditRecord.Subject.Kind, _ id: String, _ verb: String, in domain: String?, counts: Bool = true
  ) {
    let index = record(verb, domain)
    pending[index].subjects.add(kind, .removed, digests.bytes(kind.rawValue, id))
    if counts { pending[index].counts[kind == .episode ? "episodes" : "patterns", default: 0] += 1 }
  }

  /// Something of which no text was changed.
  func noteNamed(_ kind: AuditRecord.Subject.Kind, _ id: String, _ verb: String, in domain: String?) {
    let index = record(verb, domain)
    pending[index].subjects.add(kind, .named, digests.bytes(kind.rawValue, id))
  }

  /// The record of a verb in a domain, which has room for another subject.
  private func record(_ verb: String, _ domain: String?) -> Int {
    let verb = outerVerb ?? verb
    let found = pending.lastIndex { $0.verb == verb && $0.domain.hasSameBytes(as: domain) }
    if let found, pending[found].subjects.count < AuditSubjects.maximumCount { return found }
    pending.append(Pending(verb: verb, domain: domain))
    return pending.count - 1
  }

  // MARK: Writing

  /// Appends the records to the chain, as the last thing in the transaction: no other process can have written since it began.
  func write(_ db: Database) throws {
    guard !pending.isEmpty else { return }
    var (number, previous) = try AuditRow.last(db)
    let now = clock.now()
    for entry in pending {
      let (next, overflow) = number.addingReportingOverflow(1)
      guard !overflow else {
        throw MemoryError(.unavailable, "the audit has the record \(number), after which there is no number")
      }
      let domain = entry.domain.map { digests.bytes("domain", $0) }
      let counts = AuditRecord.text(of: entry.counts)
      let digest = AuditRecord.digest(
        number: next, at: now, actor: actor, verb: entry.verb, domain: domain, counts: counts,
        subjects: entry.subjects.bytes, previous: previous)
      try AuditRow.insert(
        AuditRecord(
          number: next, at: now, actor: actor, verb: entry.verb, domain: domain, counts: counts,
          subjects: entry.subjects.bytes, previous: previous, digest: digest), db)
      (number, previous) = (next, digest)
    }
    pending = []
  }
}

extension ErasureDigests {
  /// Of the content of a row, which has the id in it: who does not know that cannot try texts that it may have been.
  func digest(of content: RowContent) -> [UInt8] { digest(of: content.bytes) }
}

extension String? {
  fileprivate func hasSameBytes(as other: String?) -> Bool {
    guard let self, let other else { return self == nil && other == nil }
    return self.hasSameBytes(as: other)
  }
}
