import EpisodicMemory

/// Joins an episode of a log with what the store has under its id: of an earlier import of the same log, of a copy of it, or of
/// the hook, which saw the same turn.
enum LogMerge {
  /// - Returns: What is to be stored; `nil` if the log has nothing new.
  static func merged(_ new: Episode, onto stored: Episode?) -> Episode? {
    guard let stored else { return new }
    // What somebody put away stays there; a copy of a log may end before the log does.
    guard stored.status != .archived, new.stepCount >= stored.stepCount else { return nil }
    let ends = stored.status == .active && new.status != .active
    let isJudged = new.metadata["verdict"] != .null && new.metadata["verdict"] != stored.metadata["verdict"]
    guard new.stepCount > stored.stepCount || ends || isJudged || !hasSameSteps(new, stored) else { return nil }
    // Of a hook that saw the session end without an answer; the log has no word on it.
    let keepsFailure =
      stored.status == .failed && new.metadata["verdict"] == .null && stored.metadata["verdict"]?.isText != true
    var metadata = stored.metadata.members ?? [:]
    for member in new.metadata.members ?? [:] { metadata[member.name] = member.value }
    let status = keepsFailure ? .failed : new.status
    return Episode(
      id: stored.id, taskType: stored.taskType, domain: stored.domain, session: stored.session ?? new.session,
      context: new.context, status: status, successRate: new.successRate, createdAt: stored.createdAt,
      completedAt: status == .active
        ? nil : max(stored.createdAt, new.completedAt ?? stored.completedAt ?? stored.createdAt),
      metadata: .object(metadata), provenance: stored.provenance, parents: stored.parents,
      steps: steps(new, keepingIDsOf: stored))
  }

  /// Ids of steps stay, so that what refers to one still does.
  private static func steps(_ new: Episode, keepingIDsOf stored: Episode) -> [Step] {
    let ids = Dictionary(stored.steps.map { ($0.number, $0.id) }, uniquingKeysWith: { first, _ in first })
    return new.steps.map { step in
      Step(
        id: ids[step.number] ?? step.id, number: step.number, action: step.action, result: step.result, tool: step.tool,
        duration: step.duration, success: step.success, timestamp: step.timestamp, provenance: step.provenance)
    }
  }

  private static func hasSameSteps(_ a: Episode, _ b: Episode) -> Bool {
    a.stepCount == b.stepCount
      && zip(a.steps, b.steps).allSatisfy { x, y in
        x.action.hasSameBytes(as: y.action) && x.success == y.success
          && (x.result ?? "").hasSameBytes(as: y.result ?? "") && x.tool == y.tool
      }
  }
}

extension JSON {
  fileprivate var isText: Bool {
    if case .string = self { true } else { false }
  }
}
