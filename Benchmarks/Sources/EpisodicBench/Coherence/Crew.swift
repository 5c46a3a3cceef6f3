import Foundation

/// The processes of `bench coherence`, one per place; one that ends is replaced.
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
  /// Problems of processes that were not killed.
  private(set) var problems: [String] = []

  /// Two thirds are readers; one of the writers is the shell if it is installed.
  init(processes: Int, store: String, tallies: String) {
    self.store = store
    self.tallies = tallies
    shellPath = Shell.path
    roles = (0..<processes).map { [shellPath] place in
      if place == 2 && shellPath != nil { return .shell }
      return place % 3 == 1 ? .writer : .reader
    }
  }

  /// Starts a process in each place.
  func start() throws {
    for place in roles.indices { try start(place) }
  }

  var size: Int { roles.count }

  /// `nil` if it is installed.
  var whyThereIsNoShell: String? {
    if shellPath == nil { return "there is no sqlite3 in the PATH" }
    return roles.contains(.shell) ? nil : "the sqlite3 shell is the third process"
  }

  /// Runs a statement in the shell, after the one before is committed.
  func tell(_ statement: String) throws {
    guard let shell else { return }
    if try shell.finish() { shellCommits += 1 }
    shell.run(statement)
  }

  /// Kills a process at any instruction and replaces it.
  func killOne() throws {
    let place = Int.random(in: roles.indices)
    guard noteEnd(of: place) == false else { return try start(place) }
    process(in: place)?.kill()
    kills += 1
    try start(place)
  }

  /// Replaces processes that have ended by themselves.
  func lookAround() throws {
    for place in roles.indices where noteEnd(of: place) { try start(place) }
  }

  /// Waits until all have stopped; one that does not is killed and reported as a problem.
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

  /// Kills all remaining ones.
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

  /// Whether the process in a place has ended by itself; a problem unless it exited with 0.
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

/// The `sqlite3` shell as a writer without a cache.
///
/// It leaves checkpoints to the library, as the library's connections do: SQLite before 3.51.3 can corrupt a database that
/// two connections write and checkpoint at the same moment.
final class Shell {
  private static let done = "done"

  /// The shell in `PATH`; `nil` if there is none.
  static var path: String? {
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return folders.split(separator: ":").map { $0 + "/sqlite3" }.first { access($0, X_OK) == 0 }
  }

  let process: WorkerProcess
  private var isBusy = false

  init(_ path: String, store: String) throws {
    process = try WorkerProcess(path, ["-batch", "-bail", store + "/memory.sqlite"])
    _ = process.send(".timeout 30000")
    _ = process.send(".dbconfig no_ckpt_on_close on")
    _ = process.send("PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = NORMAL;")
    _ = process.send("SELECT '\(Self.done)';")
    while let line = try process.readLine() {
      if line == Self.done { return }
    }
    throw BenchError("\(path) does not take our settings")
  }

  /// Starts a statement without waiting for it.
  func run(_ statement: String) {
    isBusy = process.send("\(statement) SELECT '\(Self.done)';")
  }

  /// Waits for the running statement.
  ///
  /// - Returns: Whether one was running, and is committed.
  func finish() throws -> Bool {
    guard isBusy else { return false }
    isBusy = false
    return try process.readLine() == Self.done
  }
}
