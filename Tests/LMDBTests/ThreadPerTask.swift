import TestSupport
import Dispatch
import Foundation
import Synchronization

/// Runs every body on a thread of its own and waits for all of them.
///
/// Tasks would share as many threads as there are cores, where one that spins keeps out the one it waits for.
///
/// - Throws: The first error of a body.
func threadPerTask(_ bodies: [@Sendable () throws -> Void]) throws {
  let failure = Mutex<(any Error)?>(nil)
  let group = DispatchGroup()
  for body in bodies {
    group.enter()
    Thread {
      do { try body() } catch { failure.withLock { $0 = $0 ?? error } }
      group.leave()
    }.start()
  }
  group.wait()
  if let error = failure.withLock({ $0 }) { throw error }
}
