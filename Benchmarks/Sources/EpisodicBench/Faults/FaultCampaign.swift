import Foundation
import Synchronization

/// Injects one kind of fault into one verb, at one call after the other.
struct FaultCampaign {
  /// A call and the fault for it.
  struct Point: Sendable {
    let calls: [FaultCall]
    let at: Int
    let error: FaultError?

    var text: String {
      let name = calls.count == 1 ? calls[0].rawValue : "call"
      return error.map { "\($0.rawValue) at \(name) \(at)" } ?? "at \(name) \(at)"
    }
  }

  let kind: FaultKind
  let verb: FaultVerb
  let tools: FaultTools
  let options: FaultOptions
  let progress: Progress

  /// - Parameter end: The time after which no strike begins.
  func run(until end: ContinuousClock.Instant) throws -> (FaultTally, [FaultProblem]) {
    var tally = FaultTally(kind: kind, verb: verb)
    var problems: [FaultProblem] = []
    let store = try FaultStore(tools, for: verb)
    var points = try points(counting: store)
    tally.points = points.count
    // In an order spread over all calls, in case the time does not suffice.
    var generator = SeededGenerator(seed: options.seed)
    if options.at == nil, end != .distant { points.shuffle(using: &generator) }
    for (index, point) in points.enumerated() {
      guard ContinuousClock.now < end || tally.strikes == 0 else { break }
      progress.show("\(kind.rawValue) \(verb.rawValue)", index, of: points.count)
      if verb.needsNewStore { try store.make() }
      let before = store.acknowledged.count
      let (run, complaints) = try strike(point, store, &tally)
      guard let struck = run.struck else {
        tally.missed += 1
        continue
      }
      tally.strikes += 1
      tally.acknowledged += max(0, store.acknowledged.count - before)
      for what in FaultProblem.What.allCases {
        let hows = complaints.filter { $0.what == what }.map(\.how)
        guard !hows.isEmpty else { continue }
        tally.add(what)
        problems.append(problem(what, hows, point, struck))
        // Printed at once: a campaign takes hours and may be interrupted.
        progress.clear()
        FileHandle.standardError.write(Data("bench: \(problems[problems.count - 1].text)\n".utf8))
      }
      if !complaints.isEmpty, !verb.needsNewStore { try store.make() }
    }
    progress.clear()
    return (tally, problems)
  }

  private func points(counting store: FaultStore) throws -> [Point] {
    if verb.needsNewStore { try store.make() }
    let task = try store.task(verb)
    let run = try task.program.run(task.arguments, deadline: tools.deadline)
    for complaint in store.judge(task, run) {
      throw BenchError("\(verb.rawValue) does not work without a fault: \(complaint.how)")
    }
    guard run.ending == .exited(0) else {
      throw BenchError("\(verb.rawValue) does not work without a fault: \(run.complaint)")
    }
    let calls = options.calls.isEmpty ? kind.calls : options.calls.filter(kind.calls.contains)
    func count(_ calls: [FaultCall]) -> Int { calls.reduce(0) { $0 + (run.calls[$1] ?? 0) } }
    guard kind == .error else {
      return numbers(to: count(calls), from: 0).map { Point(calls: calls, at: $0, error: nil) }
    }
    return calls.flatMap { call in
      // No system interrupts every later call; SQLite and LMDB repeat an interrupted one without a bound.
      let possible = options.isLasting ? call.errors.filter { $0 != .EINTR } : call.errors
      let errors = options.errors.isEmpty ? possible : call.errors.filter(options.errors.contains)
      // Each error begins at another call, so that together they cover all.
      return errors.enumerated().flatMap { index, error in
        numbers(to: count([call]), from: index).map { Point(calls: [call], at: $0, error: error) }
      }
    }
  }

  private func numbers(to last: Int, from offset: Int) -> [Int] {
    if let at = options.at { return [at] }
    let first = offset % options.every + 1
    return first > last ? [] : Array(stride(from: first, through: last, by: options.every))
  }

  // MARK: Striking

  private func strike(
    _ point: Point, _ store: FaultStore, _ tally: inout FaultTally
  ) throws -> (TracedProgram.Run, [FaultStore.Complaint]) {
    let task = try store.task(verb)
    let neighbours = Neighbours(kind == .stop ? try store.neighbours() : [], deadline: tools.neighbourDeadline)
    let isLogIndexMissing = Atomic(false)
    let logIndex = store.logIndex
    let action: TracedProgram.Action =
      switch kind {
      case .kill: .kill
      case .error: .fail(point.error ?? .EIO)
      case .stop:
        .freeze {
          isLogIndexMissing.store(!Self.isBuilt(logIndex), ordering: .relaxed)
          neighbours.runAll()
        }
      }
    let run = try task.program.run(
      task.arguments,
      struck: .init(calls: point.calls, at: point.at, isLasting: options.isLasting, action: action),
      deadline: tools.deadline)
    var complaints = store.judge(task, run, isKilled: kind != .error && run.struck != nil)
    // SQLite excludes readers while the first process to open the store builds the index of the log, and while the last one
    // to close it removes the log. Beside a process that is stopped there, a read must end within its bound and say why.
    let isExclusive =
      run.struck.map {
        $0.call == "fcntl" && $0.path.hasSuffix("/memory.sqlite") || isLogIndexMissing.load(ordering: .relaxed)
      }
      ?? false
    for (neighbour, run) in try neighbours.runs {
      tally.runs += 1
      tally.longestWait = max(tally.longestWait, run.seconds)
      if isExclusive, run.ending == .exited(3), run.complaint.contains("is locked by another process") { continue }
      complaints += store.judge(neighbour, run).map { ($0.what, "beside it, \($0.how)") }
    }
    complaints += try store.complaints()
    tally.runs += 5
    return (run, complaints)
  }

  /// Whether SQLite has written the header of the log's index, which begins with its version.
  private static func isBuilt(_ logIndex: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: logIndex) else { return false }
    defer { try? file.close() }  // Read only: nothing is lost with a close that fails.
    guard let version = try? file.read(upToCount: 4) else { return false }
    return version.contains { $0 != 0 }
  }

  /// - Parameter hows: All problems of this kind after one strike.
  private func problem(
    _ what: FaultProblem.What, _ hows: [String], _ point: Point, _ struck: (call: String, path: String)
  ) -> FaultProblem {
    var again = "bench faults --kind \(kind.rawValue) --verb \(verb.rawValue)"
    if point.calls.count == 1 || !options.calls.isEmpty {
      again += " --calls \(point.calls.map(\.rawValue).joined(separator: " "))"
    }
    if let error = point.error { again += " --errors \(error.rawValue)" }
    if options.isLasting { again += " --lasting" }
    return FaultProblem(
      what: what, kind: kind, verb: verb, strike: "\(point.text) (\(struck.call))",
      file: struck.path.replacing(tools.folder + "/", with: ""),
      how: String(hows.joined(separator: "; ").replacing(tools.folder + "/", with: "").prefix(1500)),
      again: again + " --at \(point.at)")
  }
}

/// Commands that use a store beside a stopped process, concurrently.
private final class Neighbours: Sendable {
  private let tasks: [FaultStore.Task]
  private let deadline: Duration
  private let results = Mutex<[(FaultStore.Task, Result<TracedProgram.Run, any Error>)]>([])

  init(_ tasks: [FaultStore.Task], deadline: Duration) {
    self.tasks = tasks
    self.deadline = deadline
  }

  /// Runs all to their ends.
  func runAll() {
    let group = DispatchGroup()
    for task in tasks {
      group.enter()
      // A thread each: the tracer of a program blocks until it ends.
      Thread.detachNewThread { [self] in
        let result = Result { try task.program.run(task.arguments, deadline: deadline) }
        results.withLock { $0.append((task, result)) }
        group.leave()
      }
    }
    group.wait()
  }

  var runs: [(FaultStore.Task, TracedProgram.Run)] {
    get throws { try results.withLock(\.self).map { ($0.0, try $0.1.get()) } }
  }
}

extension ContinuousClock.Instant {
  /// Later than any campaign.
  static let distant = ContinuousClock.now + .seconds(1_000_000)
}
