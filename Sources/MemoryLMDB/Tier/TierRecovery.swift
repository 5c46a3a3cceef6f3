import Dispatch
import EpisodicMemory
import LMDB
import Logging
import Synchronization

/// What lies in a tier and can be lost: the cache, or the search index.
protocol RecoverableTier: AnyObject, Sendable {
  /// For messages: "cache".
  static var name: String { get }
  /// What happens while there is none: "reads go to the primary".
  static var consequence: String { get }
  /// Why it can be used no longer and has to be opened again; `nil` while it can be used, and after it was closed.
  var loss: String? { get }
  func close()
}

/// Opens a tier, and opens it again after trouble that passes: a locked or full disk, missing descriptors, removed files.
///
///     opened ── lost, gave way ──▶ waiting ── due ──▶ opening ──▶ opened or waiting
///     any ── closed ──▶ closed
///
/// Has no thread of its own: whoever uses the tier after the pause has it opened, on another thread and by one at a time, and goes on
/// without it meanwhile. A state is told of once.
final class TierRecovery<Tier: RecoverableTier>: Sendable {
  private enum State {
    case opened(Tier, at: Timestamp)
    case waiting(Outage)
    case opening(Outage)
    case closed(Outage)
  }

  /// One that served for so long before it was lost is opened again after the shortest pause, else after a longer one than before.
  private static var longService: Int64 { Outage.longestPause }

  let directory: String
  private let clock: any WallClock
  private let logger: Logger
  private let open: @Sendable () throws(LMDBError) -> Tier
  private let didOpen: @Sendable (Tier) -> Void
  private let state: Mutex<State>
  /// In order: one that was lost is closed before it is opened again.
  private let queue = DispatchQueue(label: "episodic.tier", qos: .utility)
  /// Milliseconds of the last pause before it was opened.
  private let lastPause = Atomic<Int64>(0)

  /// Opens it for the first time, on the calling thread.
  ///
  /// - Parameter didOpen: Called each time it is open, before anybody uses it.
  init(
    directory: String, clock: any WallClock, logger: Logger, didOpen: @escaping @Sendable (Tier) -> Void = { _ in },
    open: @escaping @Sendable () throws(LMDBError) -> Tier
  ) {
    self.directory = directory
    self.clock = clock
    self.logger = logger
    self.open = open
    self.didOpen = didOpen
    do throws(LMDBError) {
      let tier = try open()
      didOpen(tier)
      state = Mutex(.opened(tier, at: clock.now()))
    } catch {
      let outage = Outage("\(error)", at: clock.now())
      state = Mutex(.waiting(outage))
      // What two containers do to each other is no fault of anybody's.
      logger.log(
        level: error.code == .processNumberTaken ? .debug : .warning,
        "no \(Tier.name) in \(directory), \(Tier.consequence) until it can be opened: \(error)")
    }
  }

  deinit { close() }

  /// The tier, if it can be used. If not, and an attempt is due, has it opened on another thread.
  func usable() -> Tier? {
    var lost: (tier: Tier, reason: String)?
    let (tier, attempt) = state.withLock { state -> (Tier?, Outage?) in
      switch state {
      case .opened(let tier, let start):
        guard let loss = tier.loss else { return (tier, nil) }
        lost = (tier, loss)
        let now = clock.now()
        let hasServedLong = now.milliseconds &- start.milliseconds >= Self.longService
        var outage = Outage(loss, at: now, pause: hasServedLong ? 0 : lastPause.load(ordering: .relaxed))
        outage.failedAgain(loss, at: now)
        state = .waiting(outage)
        return (nil, nil)
      case .waiting(let outage):
        guard outage.isDue(at: clock.now()) else { return (nil, nil) }
        state = .opening(outage)
        return (nil, outage)
      case .opening, .closed: return (nil, nil)
      }
    }
    if let lost {
      logger.warning("the \(Tier.name) in \(directory) is closed and opened again later: \(lost.reason)")
      queue.async { lost.tier.close() }
    }
    if let attempt { queue.async { self.attempt(after: attempt) } }
    return tier
  }

  /// Since when and why there is none; `nil` if there is one.
  var outage: Outage? {
    state.withLock { state in
      switch state {
      case .opened: nil
      case .waiting(let outage), .opening(let outage), .closed(let outage): outage
      }
    }
  }

  /// Removes its files, for the room they take on a full disk, and opens it again after a long pause. Other processes that have
  /// them open keep the room until they notice, within a write or two.
  ///
  /// - Returns: Bytes that the files took.
  func giveWay() -> Int64 {
    let now = clock.now()
    let given = state.withLock { state -> Tier? in
      let outage = Outage("it gave its room to the primary on a full disk", at: now, pause: Outage.longestPause)
      switch state {
      case .opened(let tier, _):
        state = .waiting(outage)
        return tier
      case .waiting:
        state = .waiting(outage)
        return nil
      case .opening, .closed: return nil
      }
    }
    given?.close()
    let bytes = LMDBTier.removeFiles(in: directory)
    if bytes > 0 {
      logger.notice("the \(Tier.name) in \(directory) gave its \(bytes) bytes to the primary: the disk is full")
    }
    return bytes
  }

  /// For good.
  func close() {
    let now = clock.now()
    let tier = state.withLock { state -> Tier? in
      defer { state = .closed(Outage("it was closed", at: now, pause: .max)) }
      if case .opened(let tier, _) = state { return tier }
      return nil
    }
    tier?.close()
  }

  private func attempt(after outage: Outage) {
    do throws(LMDBError) {
      let tier = try open()
      didOpen(tier)
      let now = clock.now()
      lastPause.store(outage.pause, ordering: .relaxed)
      let isWanted = state.withLock { state in
        guard case .opening = state else { return false }
        state = .opened(tier, at: now)
        return true
      }
      guard isWanted else { return tier.close() }
      let elapsed = max(now.milliseconds &- outage.since.milliseconds, 0)
      logger.notice("the \(Tier.name) in \(directory) is used again after \(elapsed) ms: \(outage.reason)")
    } catch {
      logger.debug("still no \(Tier.name) in \(directory): \(error)")
      state.withLock { state in
        guard case .opening(var outage) = state else { return }
        outage.failedAgain("\(error)", at: clock.now())
        state = .waiting(outage)
      }
    }
  }
}
