import AgentLedger
import StoreValues

/// What tasks and workers of a ledger should be: plain values, changed by the rules of the queue as they are documented.
struct TaskModel {
  struct Work {
    let id: Ledger.Task.ID
    let type: String
    let domain: String
    let priority: Ledger.Task.Priority
    let maximumAttempts: Int
    let maximumCrashes: Int
    /// What makes it the same work; `nil` if it may be queued several times.
    let content: String?
    let created: Int64
    /// The time before which it was not to be claimed has come.
    var isReady: Bool
    var notBefore: Int64
    /// When the wait that it is in began.
    var since: Int64
    var status = Ledger.Task.Status.pending
    var attempts = 0
    var crashes = 0
    var lease: Int64?
    var worker: Ledger.Worker.ID?
    var isCancelling = false

    var isQueued: Bool { status == .pending || status == .inProgress }
  }

  struct Hand {
    var status = Ledger.Worker.Status.idle
    var current: Ledger.Task.ID?
    var completed = 0
    var launches = 1
  }

  var now: Int64
  /// In the order in which they were added.
  var tasks: [Work] = []
  var workers: [Ledger.Worker.ID: Hand] = [:]

  private func index(_ id: Ledger.Task.ID) -> Int? { tasks.firstIndex { $0.id == id } }

  // MARK: Tasks

  mutating func add(_ draft: Ledger.Task.Draft, id: Ledger.Task.ID, content: String?) -> (
    id: Ledger.Task.ID, isNew: Bool
  ) {
    if let content,
      let queued = tasks.first(where: { $0.content == content && $0.domain == draft.domain && $0.isQueued })
    {
      return (queued.id, false)
    }
    let notBefore = draft.notBefore?.milliseconds ?? now
    tasks.append(
      Work(
        id: id, type: draft.type, domain: draft.domain, priority: draft.priority,
        maximumAttempts: draft.maximumAttempts, maximumCrashes: draft.maximumCrashes, content: content, created: now,
        isReady: notBefore <= now, notBefore: notBefore, since: now))
    return (id, true)
  }

  mutating func claim(
    by worker: Ledger.Worker.ID, count: Int, of types: [String], in domain: String?, lease: Int64
  ) -> [Ledger.Task.ID]? {
    guard workers[worker] != nil else { return nil }
    for at in tasks.indices where tasks[at].since > now {
      if let until = tasks[at].lease {
        (tasks[at].lease, tasks[at].since) = (now + until - tasks[at].since, now)
      } else if tasks[at].status == .pending, !tasks[at].isReady, tasks[at].attempts > 0 {
        (tasks[at].notBefore, tasks[at].since) = (now + tasks[at].notBefore - tasks[at].since, now)
      }
    }
    for at in tasks.indices where tasks[at].status == .pending && tasks[at].notBefore <= now {
      tasks[at].isReady = true
    }
    takeBack { task, now in task.lease.map { $0 <= now } ?? false }
    let next = tasks.indices.filter { at in
      tasks[at].status == .pending && tasks[at].isReady && (types.isEmpty || types.contains(tasks[at].type))
        && (domain == nil || domain == tasks[at].domain)
    }.sorted { a, b in
      (tasks[a].priority.rawValue, tasks[a].created, tasks[a].notBefore, a)
        < (tasks[b].priority.rawValue, tasks[b].created, tasks[b].notBefore, b)
    }.prefix(count)
    for at in next {
      tasks[at].status = .inProgress
      tasks[at].attempts += 1
      (tasks[at].lease, tasks[at].since, tasks[at].worker) = (now + lease, now, worker)
    }
    if let first = next.first {
      workers[worker]?.status = .busy
      if workers[worker]?.current == nil { workers[worker]?.current = tasks[first].id }
    }
    return next.map { tasks[$0].id }
  }

  /// What of those in progress has lost its claimant goes back, or ends.
  private mutating func takeBack(_ isLost: (Work, _ now: Int64) -> Bool) {
    for at in tasks.indices where tasks[at].status == .inProgress && isLost(tasks[at], now) {
      tasks[at].crashes += 1
      tasks[at].status =
        tasks[at].isCancelling
        ? .cancelled : tasks[at].crashes >= tasks[at].maximumCrashes ? .failed : .pending
      (tasks[at].lease, tasks[at].since, tasks[at].isCancelling) = (nil, now, false)
      if let worker = tasks[at].worker { noteLoss(worker) }
    }
  }

  /// - Returns: `nil` if it is not the worker's.
  mutating func heartbeat(
    _ id: Ledger.Task.ID, by worker: Ledger.Worker.ID, lease: Int64
  ) -> Ledger.Task.Instruction? {
    guard let at = claimed(id, by: worker) else { return nil }
    if tasks[at].isCancelling {
      end(at, as: .cancelled)
      return .stop
    }
    (tasks[at].lease, tasks[at].since) = (now + lease, now)
    return .goOn
  }

  mutating func complete(_ id: Ledger.Task.ID, by worker: Ledger.Worker.ID) -> Bool {
    guard let at = claimed(id, by: worker) else { return false }
    end(at, as: .completed)
    return true
  }

  /// - Returns: What the wait before another attempt is at least and at most; an empty range if it has ended.
  mutating func fail(_ id: Ledger.Task.ID, by worker: Ledger.Worker.ID, mayRetry: Bool) -> ClosedRange<Int64>? {
    guard let at = claimed(id, by: worker) else { return nil }
    let failures = max(1, tasks[at].attempts - tasks[at].crashes)
    if tasks[at].isCancelling {
      end(at, as: .cancelled)
    } else if mayRetry, failures < tasks[at].maximumAttempts {
      (tasks[at].status, tasks[at].isReady, tasks[at].lease, tasks[at].since) = (.pending, false, nil, now)
      noteEnd(worker, completed: false)
      let whole = min(Int64(1000) << Int64(failures - 1), 3_600_000)
      return whole / 2...whole
    } else {
      end(at, as: .failed)
    }
    return 0...0
  }

  /// The wait that the ledger chose at random.
  mutating func adopt(notBefore: Int64, of id: Ledger.Task.ID) {
    if let at = index(id) { tasks[at].notBefore = notBefore }
  }

  mutating func cancel(_ id: Ledger.Task.ID) {
    guard let at = index(id) else { return }
    if tasks[at].status == .pending { end(at, as: .cancelled) }
    if tasks[at].status == .inProgress { tasks[at].isCancelling = true }
  }

  /// - Returns: False if it has not failed, or the same work is queued.
  mutating func retry(_ id: Ledger.Task.ID) -> Bool {
    guard let at = index(id), tasks[at].status == .failed else { return false }
    let (content, domain) = (tasks[at].content, tasks[at].domain)
    if content != nil, tasks.contains(where: { $0.content == content && $0.domain == domain && $0.isQueued }) {
      return false
    }
    (tasks[at].status, tasks[at].isReady, tasks[at].attempts, tasks[at].crashes) = (.pending, true, 0, 0)
    (tasks[at].notBefore, tasks[at].since) = (now, now)
    return true
  }

  private func claimed(_ id: Ledger.Task.ID, by worker: Ledger.Worker.ID) -> Int? {
    index(id).flatMap { tasks[$0].status == .inProgress && tasks[$0].worker == worker ? $0 : nil }
  }

  private mutating func end(_ at: Int, as status: Ledger.Task.Status) {
    let wasClaimed = tasks[at].status == .inProgress
    (tasks[at].status, tasks[at].lease, tasks[at].isCancelling) = (status, nil, false)
    if wasClaimed, let worker = tasks[at].worker { noteEnd(worker, completed: status == .completed) }
  }

  // MARK: Workers

  mutating func register(_ worker: Ledger.Worker.ID) {
    guard var hand = workers[worker] else { return workers[worker] = Hand() }
    (hand.status, hand.current, hand.launches) = (.idle, nil, hand.launches + 1)
    workers[worker] = hand
    takeBack { task, _ in task.worker == worker }
  }

  mutating func set(_ status: Ledger.Worker.Status, of worker: Ledger.Worker.ID) {
    workers[worker]?.status = status
    if status == .crashed { takeBack { task, _ in task.worker == worker } }
    if status == .stopped {
      for at in tasks.indices where tasks[at].status == .inProgress && tasks[at].worker == worker {
        tasks[at].attempts -= 1
        tasks[at].status = tasks[at].isCancelling ? .cancelled : .pending
        (tasks[at].lease, tasks[at].since, tasks[at].isCancelling) = (nil, now, false)
      }
    }
    if status == .crashed || status == .stopped { noteLoss(worker) }
  }

  /// - Returns: False if it has a task.
  mutating func remove(_ worker: Ledger.Worker.ID) -> Bool {
    guard next(of: worker) == nil else { return false }
    workers[worker] = nil
    return true
  }

  /// - Returns: The tasks it is to stop.
  mutating func heartbeat(worker: Ledger.Worker.ID, lease: Int64) -> [Ledger.Task.ID] {
    tasks.filter { $0.status == .inProgress && $0.worker == worker }.map(\.id)
      .filter { heartbeat($0, by: worker, lease: lease) == .stop }
  }

  private func next(of worker: Ledger.Worker.ID) -> Ledger.Task.ID? {
    tasks.indices.filter { tasks[$0].status == .inProgress && tasks[$0].worker == worker }
      .min { a, b in
        (tasks[a].priority.rawValue, tasks[a].created, a) < (tasks[b].priority.rawValue, tasks[b].created, b)
      }.map { tasks[$0].id }
  }

  private mutating func noteLoss(_ worker: Ledger.Worker.ID) {
    let next = next(of: worker)
    workers[worker]?.current = next
    if next == nil, workers[worker]?.status == .busy { workers[worker]?.status = .idle }
  }

  private mutating func noteEnd(_ worker: Ledger.Worker.ID, completed: Bool) {
    let next = next(of: worker)
    workers[worker]?.current = next
    workers[worker]?.status = next == nil ? .idle : .busy
    if completed { workers[worker]?.completed += 1 }
  }
}
