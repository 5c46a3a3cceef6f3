package import FileLocks
package import GRDB

/// A SQLite database that a primary is kept in: a file that processes share, or memory of this process.
package protocol StoredDatabase: AnyObject, Sendable {
  /// The file, or what stands for it in messages.
  var path: String { get }
  /// False for one in memory.
  var isInFile: Bool { get }
  /// Why nothing can be written; `nil` if it can.
  var readOnlyReason: String? { get }
  /// Bytes of the database and its log.
  var bytesOnDisk: Int64 { get }

  /// Reads one snapshot.
  func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value
  /// Reads one snapshot on the calling thread; `nil` if it would have to wait.
  func readWithoutWaiting<Value>(_ body: (Database) throws -> Value) throws -> Value?
  /// The state of the database between two commits: any commit changes it.
  func commitStamp() throws -> CommitStamp
  /// Returns when the stamp is another: at once after a commit through this value, 10 to 20 ms after one of others.
  func waitForCommit(after stamp: CommitStamp) async throws

  /// Runs `body` in a transaction, and returns after its commit. `body` may run twice; an error that it throws undoes what it
  /// wrote and nothing else.
  func write<Value: Sendable>(
    despiteDamage: Bool, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value
  /// Performs a request together with those of its batch that share the commit, and returns after it.
  func write<Request, Value>(_ request: Request, in batch: BatchedWrite<Request, Value>) async throws -> Value
  /// Lends the writer's connection outside of a transaction, between two commits, which wait for it: for pragmas, checkpoints
  /// and `VACUUM`.
  func maintain<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value
  /// Returns when what follows the last commit of this value is done, such as a checkpoint; other processes wait for it.
  func settle() async
  /// Moves the log into the database file, and leaves one page of the schema in it.
  ///
  /// - Parameter wait: For readers that still use it; commits wait meanwhile.
  /// - Returns: False if there was a reader all the time.
  func truncateLog(waitingAtMost wait: Duration) async throws -> Bool
  /// From now on nothing is written, but despite damage.
  func refuseWrites(because reason: String)
  func acceptWrites()

  /// What endangers what is written, with what to do; and the names of indexes that are not there.
  func inspectSchema(_ db: Database) throws -> (problems: [String], lostIndexes: [String])
  /// Makes indexes again that are not there, in the transaction of a write.
  func restoreIndexes(_ db: Database) throws
  /// The right to maintain the database.
  var maintenanceLock: MaintenanceLock { get }
  /// Maintenance of the files; `nil` if there are none, or they cannot be written.
  var fileMaintenance: FileMaintenance? { get }

  /// Copies one snapshot into a new file and verifies the copy; see `DatabaseCopy.make`. Others read and write meanwhile.
  ///
  /// - Parameter describe: Reads from the same snapshot what the caller wants to know of it.
  /// - Throws: `CancellationError` if the task was cancelled: nothing is left of the copy.
  func copy<Value: Sendable>(
    to target: String, progress: @escaping @Sendable (DatabaseCopy.Progress) -> Void,
    describing describe: @escaping @Sendable (Database) throws -> Value
  ) async throws -> (copy: DatabaseCopy, value: Value)
  func close() async throws
}

extension StoredDatabase {
  package func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try await write(despiteDamage: false, body)
  }
}
