import Synchronization

/// What a task of maintenance did.
struct MaintenanceResult: Sendable {
  var counts: [String: Int] = [:]
  /// Why the rest cannot be done now.
  var obstacle: String?
  /// The error that ended it.
  var failure: String?

  init(_ counts: [String: Int] = [:], obstacle: String? = nil, failure: String? = nil) {
    self.counts = counts
    self.obstacle = obstacle
    self.failure = failure
  }
}

/// One run of maintenance: what is due in it, and what its tasks tell each other.
final class MaintenanceRun: Sendable {
  private struct State {
    var records: [String: MaintenanceRecord]
    var unwritten: [MaintenanceRecord] = []
    var task: MaintenanceTask?
    var done = 0
    var hasDeletedMuch = false
    var isLocked = false
  }

  /// A pause is as long as the slice before it, so that writers of other processes, which poll for the lock, get their turn.
  private static let shortestPause = Duration.milliseconds(2)
  private static let longestPause = Duration.milliseconds(100)
  /// Of a task that otherwise runs every time.
  private static let longestRetryInterval = Duration.seconds(3600)

  let startedAt: Timestamp
  let options: MaintenanceOptions
  private let progress: @Sendable (MaintenanceProgress) -> Void
  private let state: Mutex<State>

  init(
    startedAt: Timestamp, options: MaintenanceOptions, records: [MaintenanceRecord],
    progress: @escaping @Sendable (MaintenanceProgress) -> Void
  ) {
    self.startedAt = startedAt
    self.options = options
    self.progress = progress
    state = Mutex(State(records: Dictionary(records.map { ($0.task, $0) }) { _, last in last }))
  }

  // MARK: What is due

  /// Whether the options ask for a task at all.
  func considers(_ task: MaintenanceTask) -> Bool {
    if !options.tasks.isEmpty { return options.tasks.contains(task) }
    return task != .vacuum || options.isFull
  }

  /// When a task is due; `nil` if it is now.
  ///
  /// One that was cut short is due, and so is one that ran in the future: the clock has gone back since. One that failed or was
  /// postponed is tried again after a minute, then after twice as long each time, until it is due anyway, or each hour.
  func nextDue(_ task: MaintenanceTask, every interval: Duration) -> Timestamp? {
    guard options.tasks.isEmpty, !options.isFull, let record = state.withLock({ $0.records[task.rawValue] }),
      record.finishedAt != nil, record.startedAt <= startedAt
    else { return nil }
    let most = interval > .zero ? interval : Self.longestRetryInterval
    let next = record.startedAt.adding(record.retryInterval.map { min($0, most) } ?? interval)
    return next > startedAt ? next : nil
  }

  /// How the last run of a task failed; `nil` if it did not.
  func lastFailure(of task: MaintenanceTask) -> MaintenanceReport.Failure? {
    state.withLock { $0.records[task.rawValue] }?.failure
  }

  // MARK: Progress

  func begin(_ task: MaintenanceTask) {
    state.withLock { state in
      state.task = task
      state.done = 0
    }
    progress(MaintenanceProgress(task: task, done: 0))
  }

  func report(done: Int) {
    let moment = state.withLock { state in
      state.done += done
      return state.task.map { MaintenanceProgress(task: $0, done: state.done) }
    }
    if let moment { progress(moment) }
  }

  /// Lets writers go first.
  static func pause(after held: Duration) async throws(MemoryError) {
    let pause = min(max(held, shortestPause), longestPause)
    do { try await Task.sleep(for: pause) } catch { throw .cancelledTask }
  }

  // MARK: Between tasks

  /// Whether so much was deleted that the full-text indexes are worth merging into one segment each.
  var hasDeletedMuch: Bool { state.withLock { $0.hasDeletedMuch } }

  func noteDeletions(of share: Double) {
    // A twentieth: the deleted words are then about as many as a level of segments holds.
    if share >= 0.05 { state.withLock { $0.hasDeletedMuch = true } }
  }

  /// Whether a task ended because another process keeps the store locked: the others would wait for it in vain, each as long.
  var isLocked: Bool { state.withLock { $0.isLocked } }

  func noteLocked() { state.withLock { $0.isLocked = true } }

  // MARK: Records

  /// Keeps when a task ran. One that did nothing is written with the last one, so that an idle store gets one commit a run.
  func note(_ task: MaintenanceReport.Task, at end: Timestamp, in primary: any PrimaryStore) async throws(MemoryError) {
    var outcome: JSON.Object = ["outcome": .string(task.outcome.rawValue)]
    for (name, count) in task.counts.sorted(by: { $0.key < $1.key }) { outcome[name] = .integer(Int64(count)) }
    outcome["reason"] = task.reason.map(JSON.string)
    if task.outcome == .failed || task.outcome == .postponed {
      let before = state.withLock { $0.records[task.task.rawValue]?.attempts } ?? 0
      outcome[MaintenanceRecord.attempts] = .integer(Int64(min(before, MaintenanceRecord.mostAttempts) + 1))
    }
    let record = MaintenanceRecord(
      task: task.task.rawValue, startedAt: startedAt, finishedAt: end, outcome: .object(outcome))
    state.withLock { $0.unwritten.append(record) }
    if !task.counts.isEmpty { try await writeRecords(to: primary) }
  }

  /// Keeps them for the next attempt if the disk takes nothing or the store is locked: what was done is in the report, and is due
  /// again.
  func writeRecords(to primary: any PrimaryStore) async throws(MemoryError) {
    let records = state.withLock { $0.unwritten }
    guard !records.isEmpty, !isLocked else { return }
    do throws(MemoryError) {
      try await primary.record(records)
      state.withLock { $0.unwritten.removeFirst(records.count) }
    } catch  where error.code == .unavailable || error.code == .busy {}
  }
}

extension MaintenanceRecord {
  fileprivate static let attempts = "attempts"
  /// After so many the time to the next attempt, a minute at first, is longer than each interval.
  fileprivate static let mostAttempts = 16

  /// Runs since the task was last done to its end.
  fileprivate var attempts: Int {
    guard case .integer(let count)? = outcome[Self.attempts] else { return 0 }
    return Int(max(0, min(count, Int64(Self.mostAttempts))))
  }

  /// `nil` if the task was done to its end.
  fileprivate var retryInterval: Duration? { attempts > 0 ? .seconds(60) * (1 << (attempts - 1)) : nil }
}
