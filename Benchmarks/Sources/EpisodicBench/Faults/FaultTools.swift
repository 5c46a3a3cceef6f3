import CFaults
import Foundation
import GRDB

/// The programs that faults are injected into, and their deadlines.
struct FaultTools: Sendable {
  /// Added to every deadline for the load of the machine.
  private static let margin = Duration.seconds(90)

  /// `episodic`.
  let command: TracedProgram
  /// This program as `FaultsWorkerCommand`.
  let worker: TracedProgram
  /// The folder whose files' calls are counted.
  let folder: String
  /// The folder for the standard streams of programs.
  let streams: String
  /// The commands' option --busy-timeout.
  let busyTimeout: Duration
  private let takesBusyTimeout: Bool

  /// The time after which a command counts as hanging: it may wait for several locks in turn.
  var deadline: Duration { busyTimeout * 4 + Self.margin }
  /// The same beside a stopped process: below the 30 s of the default timeout, so that a command which ignores the option
  /// is found.
  var neighbourDeadline: Duration { busyTimeout * 4 + .seconds(20) }

  init(episodic: String?, busyTimeout: Int, scratch: ScratchDirectory) throws {
    if let why = faults_unsupported() { throw BenchError(String(cString: why)) }
    let path = try BuiltProgram.episodic(episodic)
    (folder, streams) = (scratch.path(of: "attacked"), scratch.path(of: "streams"))
    for path in [folder, streams] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    var variables = ProcessInfo.processInfo.environment
    variables["TMPDIR"] = folder + "/tmp"
    variables["EPISODIC_STORE"] = nil
    // A crash is reported in one line; a backtrace by the Swift runtime would take seconds for each.
    variables["SWIFT_BACKTRACE"] = "enable=no"
    let environment = variables.map { "\($0)=\($1)" }
    command = TracedProgram(executable: path, folder: folder, streams: streams, environment: environment)
    worker = TracedProgram(
      executable: try BuiltProgram.bench, folder: folder, streams: streams, environment: environment)
    let help = try command.run(["list", "--help"], deadline: Self.margin)
    takesBusyTimeout = help.output.contains("--busy-timeout")
    self.busyTimeout = takesBusyTimeout ? .seconds(busyTimeout) : .seconds(30)
  }

  /// The arguments of a command on a store.
  func words(_ arguments: [String], store: String) -> [String] {
    let bound = takesBusyTimeout ? ["--busy-timeout", "\(Int(busyTimeout / .seconds(1)))"] : []
    return [arguments[0], "--store", store] + bound + arguments.dropFirst()
  }
}

/// Creates a primary of an earlier version: its migrations, and rows by its columns.
enum EarlierSchema {
  /// The last schema with neither full text nor a change feed: every later migration converts rows.
  static let version = 2

  /// - Parameter newest: A primary created by the library, for the application id and the rows of `schema_version`.
  /// - Parameter words: The word of the only step of each episode, by the episode's id.
  static func make(at path: String, from newest: String, words: [String: String]) throws {
    let library = try DatabaseQueue(path: newest)
    let (application, table, applied) = try library.read { db in
      (
        try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
        try String.fetchOne(db, sql: "SELECT sql FROM sqlite_schema WHERE name = 'schema_version'") ?? "",
        try GRDB.Row.fetchAll(
          db, sql: "SELECT version, applied_at, description, checksum FROM schema_version WHERE version <= ?",
          arguments: [version])
      )
    }
    try library.close()
    let folder = URL(filePath: #filePath).appending(path: "../../../../../migrations/memory").standardized
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).sorted()
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA application_id = \(application); \(table)")
      for (name, row) in zip(names, applied) {
        try db.execute(sql: String(contentsOf: folder.appending(path: name), encoding: .utf8))
        try db.execute(
          sql: "INSERT INTO schema_version VALUES (?, ?, ?, ?)", arguments: StatementArguments(row.databaseValues))
      }
      for (id, word) in words.sorted(by: { $0.key < $1.key }) {
        try db.execute(
          sql: """
            INSERT INTO episodes (id, task_type, domain, context, status, created_at, completed_at)
            VALUES (?, 'testing', 'faults', 'kept by an earlier version', 'completed', 1767225600000, 1767225601000)
            """, arguments: [id])
        try db.execute(
          sql: """
            INSERT INTO steps (id, episode_id, step_number, action, timestamp) VALUES (? || '/1', ?, 1, ?, 1767225600000)
            """, arguments: [id, id, "true \(word)"])
      }
    }
    try database.close()
  }
}
