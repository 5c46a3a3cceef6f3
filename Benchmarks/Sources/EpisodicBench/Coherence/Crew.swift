import Foundation

/// The processes of `bench coherence`, each in a place of its own; who dies there is replaced.
final class Crew {
  private enum Role { case reader, writer, shell }

  private let store: String
  private let tallies: String
  private let roles: [Role]
  private let shellPath: String?
  private var workers: [Int: WorkerProcess] = [:]
  private var shell: Shell?
  private(set) var starts = 0
  private(set) var kills = 0
  private(set) var shellCommits = 0
  /// What went wrong with processes that nobody killed.
  private(set) var problems: [String] = []

  /// Two thirds of them are readers; one of the writers is the shell where there is one.
  init(processes: Int, store: String, tallies: String) {
    self.store = store
    self.tallies = tallies
    shellPath = Shell.path
    roles = (0..<processes).map { [shellPath] place in
      if place == 2 && shellPath != nil { return .shell }
      return place % 3 == 1 ? .writer : .reader
    }
  }

  /// Starts a process in every place.
  func start() throws {
    for place in roles.indices { try start(place) }
  }

  var size: Int { roles.count }

  /// `nil` where there is one.
  var whyThereIsNoShell: String? {
    if shellPath == nil { return "there is no sqlite3 in the PATH" }
    return roles.contains(.shell) ? nil : "the sqlite3 shell is the third process"
  }

  /// Has the shell run a statement, once the one before is committed.
  func tell(_ statement: String) throws {
    guard let shell else { return }
    if try shell.finish() { shellCommits += 1 }
    shell.run(statement)
  }

  /// Kills a process wherever it is and starts another in its place.
  func killOne() throws {
    let place = Int.random(in: roles.indices)
    guard noteEnd(of: place) == false else { return try start(place) }
    process(in: place)?.kill()
    kills += 1
    try start(place)
  }

  /// Notices who has ended by itself, and starts others there.
  func lookAround() throws {
    for place in roles.indices where noteEnd(of: place) { try start(place) }
  }

  /// Waits for the end of all, who have been told to stop; whoever does not is killed, which is a problem.
  func end(within timeout: Duration) async throws {
    if let shell {
      if try shell.finish() { shellCommits += 1 }
      shell.process.kill()
    }
    let deadline = ContinuousClock.now + timeout
    while !workers.isEmpty && ContinuousClock.now < deadline {
      for place in Array(workers.keys) where noteEnd(of: place) { workers[place] = nil }
      try await Task.sleep(for: .milliseconds(5))
    }
    for (place, worker) in workers {
      problems.append("the process in place \(place) did not stop within \(timeout)")
      worker.kill()
    }
  }

  /// Kills all that are left.
  func killAll() {
    shell?.process.kill()
    for worker in workers.values { worker.kill() }
  }

  // MARK: Places

  private func process(in place: Int) -> WorkerProcess? {
    roles[place] == .shell ? shell?.process : workers[place]
  }

  private func start(_ place: Int) throws {
    starts += 1
    if roles[place] == .shell, let shellPath {
      shell = try Shell(shellPath, store: store)
      return
    }
    let writers = roles.indices.filter { roles[$0] == .writer }
    let role: CoherenceWorkerCommand.Role = roles[place] == .writer ? .writer : .reader
    workers[place] = try WorkerProcess([
      CoherenceWorkerCommand.name, "--role", role.rawValue, "--store", store, "--tallies", tallies, "--place",
      "\(place)", "--writer", "\(writers.firstIndex(of: place) ?? 0)", "--writers", "\(writers.count)",
    ])
  }

  /// Whether the process in a place has ended by itself; a problem, unless it ended well.
  private func noteEnd(of place: Int) -> Bool {
    guard let status = process(in: place)?.poll() else { return false }
    if status != 0 {
      let signal = status & 0x7F
      let how = signal == 0 ? "with exit status \(status >> 8 & 0xFF)" : "by signal \(signal)"
      problems.append("the \(roles[place]) in place \(place) ended \(how)")
    }
    return true
  }
}
