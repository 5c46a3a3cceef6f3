import CLMDB
import Synchronization

/// Read transactions that were reset and keep their slots in the reader table, to be renewed.
///
/// Beginning a transaction locks the reader table in shared memory, and a process that is stopped inside that lock holds up
/// every reader of every process. Renewing one takes no lock: a process enters the reader table only when more of its threads read
/// at once than ever before.
final class ReaderPool: Sendable {
  // Few, because an idle transaction takes one of the slots that all processes share.
  private let first = Atomic<UInt>(0)
  private let second = Atomic<UInt>(0)
  private let third = Atomic<UInt>(0)
  private let fourth = Atomic<UInt>(0)

  /// A transaction to renew, which belongs to the caller from here on.
  func take() -> OpaquePointer? {
    Self.take(first) ?? Self.take(second) ?? Self.take(third) ?? Self.take(fourth)
  }

  /// Keeps a transaction that was reset.
  ///
  /// - Returns: False if there is no room: then it must be aborted.
  func put(_ transaction: OpaquePointer) -> Bool {
    Self.put(transaction, first) || Self.put(transaction, second) || Self.put(transaction, third)
      || Self.put(transaction, fourth)
  }

  /// Frees all of them. The environment must still be open, and nobody inside.
  func drain() {
    while let transaction = take() { mdb_txn_abort(transaction) }
  }

  @inline(__always)
  private static func take(_ place: borrowing Atomic<UInt>) -> OpaquePointer? {
    // Looked at first, for an exchange takes the cache line from the threads that read there.
    guard place.load(ordering: .relaxed) != 0 else { return nil }
    return OpaquePointer(bitPattern: place.exchange(0, ordering: .acquiring))
  }

  @inline(__always)
  private static func put(_ transaction: OpaquePointer, _ place: borrowing Atomic<UInt>) -> Bool {
    guard place.load(ordering: .relaxed) == 0 else { return false }
    return place.compareExchange(expected: 0, desired: UInt(bitPattern: transaction), ordering: .releasing).exchanged
  }
}
