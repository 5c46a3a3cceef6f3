import CSQLite
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// A moment in the life of a database: equal for two moments only if no commit, by any process, lies between them.
///
/// Comparable among all watches that are open on a database at the same time, in this process or others.
public struct CommitMark: Hashable, Sendable {
  // Not a SIMD vector: Swift 6.3 lays out the frame of an async function too small for what is aligned to 64 bytes.
  public let words: InlineArray<8, UInt64>
  public init(_ words: InlineArray<8, UInt64>) { self.words = words }

  public static func == (a: Self, b: Self) -> Bool {
    var differences: UInt64 = 0
    for index in 0..<8 { differences |= a.words[index] ^ b.words[index] }
    return differences == 0
  }

  public func hash(into hasher: inout Hasher) {
    for index in 0..<8 { hasher.combine(words[index]) }
  }
}

/// A connection that writes nothing and watches for the commits of all others.
///
/// SQLite's writers change the header of the WAL index, 48 bytes in shared memory, at every commit: reading it costs
/// nanoseconds. Where it cannot be had, or is that of an empty log, which are all alike, `PRAGMA data_version` takes its
/// place: microseconds, and marks that no other connection shares.
final class CommitWatch: Sendable {
  private let queue: DatabaseQueue
  /// Where the header is mapped. Valid while `queue` is open, and `users` keeps it so.
  private let header: UInt?
  /// Reads of the header at this moment; `closed` once nobody may begin one.
  private let users = Atomic<UInt>(0)
  private static let closed: UInt = 1 << (UInt.bitWidth - 1)
  /// Whether the header was seen to stand still at a commit, so that it is good for nothing.
  private let isDistrusted: Atomic<Bool>
  /// Tells the marks of this connection's `data_version` from those of others.
  private let name = UInt64.random(in: 1 ... .max)

  /// - Parameter trustsHeader: Whether SQLite's header moves as this expects; see `WALIndexTrial`.
  init(path: String, configuration: GRDB.Configuration, trustsHeader: Bool) throws {
    var configuration = configuration
    configuration.readonly = true
    queue = try DatabaseQueue(path: path, configuration: configuration)
    header = trustsHeader ? try queue.unsafeRead(Self.findHeader) : nil
    isDistrusted = Atomic(!trustsHeader)
  }

  /// - Throws: After `close`.
  func mark() throws -> CommitMark {
    if let mark = headerMark() { return mark }
    let version = try queue.unsafeRead { db in
      // Nothing is written here: `data_version` does not count a connection's own commits.
      try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA data_version")) ?? 0
    }
    return CommitMark([UInt64(bitPattern: version), 0, 0, 0, 0, 0, name, 1])
  }

  /// `nil` where only `data_version` can tell.
  func headerMark() -> CommitMark? {
    guard let header, !isDistrusted.load(ordering: .relaxed) else { return nil }
    let (before, _) = users.add(1, ordering: .acquiring)
    defer { users.subtract(1, ordering: .releasing) }
    guard before & Self.closed == 0, let index = UnsafeRawPointer(bitPattern: header) else { return nil }
    var current = episodic_wal_header_read(index)
    guard episodic_wal_header_is_unique(&current) else { return nil }
    let words = current.words
    return CommitMark([words.0, words.1, words.2, words.3, words.4, words.5, 0, 0])
  }

  /// From now on only `data_version` counts.
  func distrust() { isDistrusted.store(true, ordering: .relaxed) }

  func close() throws {
    users.bitwiseOr(Self.closed, ordering: .acquiringAndReleasing)
    // A read of the header takes nanoseconds; the mapping goes after the last of them.
    while users.load(ordering: .acquiring) != Self.closed { sched_yield() }
    try queue.close()
  }

  /// The address of the header; `nil` where there is none that this knows how to read.
  private static func findHeader(_ db: Database) throws -> UInt? {
    // The WAL index is mapped once the connection has read.
    _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema")
    guard let pageSize = try UInt32.fetchOne(db, sql: "PRAGMA page_size"),
      let index = episodic_wal_index(db.sqliteConnection)
    else { return nil }
    var current = episodic_wal_header_read(index)
    return episodic_wal_header_is_sound(&current, pageSize) ? UInt(bitPattern: index) : nil
  }
}
