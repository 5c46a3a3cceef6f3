import Dispatch
package import EpisodicMemory
import FileLocks
import LMDB
package import Logging
import Synchronization

/// What lies in a tier and can be lost: the cache, or the search index.
package protocol RecoverableTier: AnyObject, Sendable {
  /// For messages: "cache".
  static var name: String { get }
  /// For messages, the effect of having none: "reads go to the primary".
  static var consequence: String { get }
  /// Why it is broken and has to be opened again; `nil` while it is usable, and after it was closed.
  var loss: String? { get }
  /// Whether callers use it without a lock, so that it must outlive a close.
  static var isUsedWithoutLock: Bool { get }
  func close()
}

/// Opens a tier, and opens it again after failures that pass: a locked or full disk, missing descriptors, removed files.
///
///     opened ── broken, or removed to free space ──▶ waiting ── due ──▶ opening ──▶ opened or waiting
///     any ── closed ──▶ closed
///
/// It has no thread of its own: the first use after the pause opens the tier on another thread and goes on without it. Each
/// transition is logged once.
package final class RecoveringTier<Tier: RecoverableTier>: Sendable {
  private enum State {
    case opened(Tier, at: Timestamp)
    case waiting(Outage)
    case opening(Outage)
    case closed(Outage)
  }

  /// A tier that served this long before it broke is opened again after the shortest pause, else after twice the last one.
  private static var longService: Int64 { Outage.longestPause }

  private let directory: String
  private let clock: any WallClock
  private let logger: Logger
  private let open: @Sendable () throws(LMDBError) -> Tier
  private let state: Mutex<State>
  /// Serial: a broken tier is closed before it is opened again.
  private let queue = DispatchQueue(label: "episodic.tier", qos: .utility)
  /// Milliseconds of the last pause before it was opened.
  private let lastPause = Atomic<Int64>(0)

  // Hits read these without a lock.
  private let openedBits = Atomic<UInt>(0)
  private let servingBits = Atomic<UInt>(0)
  /// Every tier that was opened, if it is used without a lock: a reader may still be inside a broken one, and counting readers
  /// would cost each hit more than a closed tier takes, three descriptors. At most one is added a minute, see `Outage`.
  private let kept = Mutex<[Tier]>([])

  /// Opens the tier for the first time, on the calling thread.
  init(
    at directory: String, clock: any WallClock, logger: Logger, open: @escaping @Sendable () throws(LMDBError) -> Tier
  ) {
    self.directory = directory
    self.clock = clock
    self.logger = logger
    self.open = open
    do throws(LMDBError) {
      let tier = try open()
      state = Mutex(.opened(tier, at: clock.now()))
      publish(tier)
    } catch {
      let outage = Outage("\(error)", at: clock.now())
      state = Mutex(.waiting(outage))
      // Two containers with one process number are a normal case.
      logger.log(
        level: error.code == .processNumberTaken ? .debug : .warning,
        "no \(Tier.name) in \(directory), \(Tier.consequence) until it can be opened: \(error)",
        metadata: ["event": "tier.unavailable", "tier": "\(Tier.name)", "path": "\(directory)", "error": "\(error)"])
    }
  }

  deinit { close() }

  // MARK: Use

  /// The tier, if it is usable. If not, and an attempt is due, another thread opens it.
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
      logger.warning(
        "the \(Tier.name) in \(directory) is closed and opened again later: \(lost.reason)",
        metadata: ["event": "tier.closed", "tier": "\(Tier.name)", "path": "\(directory)", "error": "\(lost.reason)"])
      queue.async { lost.tier.close() }
    }
    if let attempt { queue.async { self.openAgain(after: attempt) } }
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

  /// The tier that was opened last, usable or not; without a lock.
  var opened: Tier? { Self.reference(openedBits)?.takeUnretainedValue() }

  /// The same once it may answer without catching up first; borrowed from `kept`, so that a hit counts no references.
  @inline(__always)
  var serving: Unmanaged<Tier>? { Self.reference(servingBits) }

  /// The first tier serves at once: its owner compares it with the primary before it is used, see `FreshnessGate`. A later one
  /// may be of the time before this process opened the store: it serves once it has caught up.
  func serve(_ tier: Tier) {
    let bits = Self.bits(of: tier)
    guard servingBits.load(ordering: .relaxed) != bits, openedBits.load(ordering: .relaxed) == bits else { return }
    servingBits.store(bits, ordering: .releasing)
  }

  private func publish(_ tier: Tier) {
    guard Tier.isUsedWithoutLock else { return }
    let isFirst = kept.withLock { kept in
      kept.append(tier)
      return kept.count == 1
    }
    let bits = Self.bits(of: tier)
    servingBits.store(isFirst ? bits : 0, ordering: .releasing)
    openedBits.store(bits, ordering: .releasing)
  }

  private static func bits(of tier: Tier) -> UInt {
    UInt(bitPattern: Unmanaged.passUnretained(tier).toOpaque())
  }

  @inline(__always)
  private static func reference(_ bits: borrowing Atomic<UInt>) -> Unmanaged<Tier>? {
    UnsafeRawPointer(bitPattern: bits.load(ordering: .acquiring)).map { Unmanaged.fromOpaque($0) }
  }

  // MARK: Opening and closing

  private func openAgain(after outage: Outage) {
    do throws(LMDBError) {
      let tier = try open()
      publish(tier)
      let now = clock.now()
      lastPause.store(outage.pause, ordering: .relaxed)
      let isWanted = state.withLock { state in
        guard case .opening = state else { return false }
        state = .opened(tier, at: now)
        return true
      }
      guard isWanted else { return tier.close() }
      let elapsed = max(now.milliseconds &- outage.since.milliseconds, 0)
      // Without a pause it was begun again on purpose.
      logger.log(
        level: outage.pause == 0 ? .debug : .notice,
        "the \(Tier.name) in \(directory) is used again after \(elapsed) ms: \(outage.reason)",
        metadata: [
          "event": "tier.available", "tier": "\(Tier.name)", "path": "\(directory)", "duration_ms": "\(elapsed)",
          "error": "\(outage.reason)",
        ])
    } catch {
      logger.debug(
        "still no \(Tier.name) in \(directory): \(error)",
        metadata: [
          "event": "tier.still_unavailable", "tier": "\(Tier.name)", "path": "\(directory)", "error": "\(error)",
        ])
      state.withLock { state in
        guard case .opening(var outage) = state else { return }
        outage.failedAgain("\(error)", at: clock.now())
        state = .waiting(outage)
      }
    }
  }

  /// Removes the files, to free the space that they take on a full disk; they are opened again after a minute or more. Other
  /// processes that have them open keep the space until they notice, within a write or two.
  ///
  /// - Returns: Bytes that the files took.
  @discardableResult
  package func giveWay() -> Int64 {
    let now = clock.now()
    let given = state.withLock { state -> Tier? in
      let outage = Outage(
        "its files were removed to free space for the primary on a full disk", at: now, pause: Outage.longestPause)
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
    return Self.giveWay(in: directory, logger: logger)
  }

  /// As `giveWay`, for files that this process does not use.
  @discardableResult
  package static func giveWay(in directory: String, logger: Logger) -> Int64 {
    let bytes = LMDBTier.removeFiles(in: directory)
    if bytes > 0 {
      logger.notice(
        "the \(Tier.name) in \(directory) gave its \(bytes) bytes to the primary: the disk is full",
        metadata: ["event": "tier.gave_way", "tier": "\(Tier.name)", "path": "\(directory)", "bytes": "\(bytes)"])
    }
    return bytes
  }

  /// Removes the files, whoever has them open, and begins new ones: pages that LMDB has freed keep their bytes.
  ///
  /// - Parameter patience: For processes that open or close them.
  /// - Throws: `.busy` after that; `.unavailable` if the files cannot be removed.
  package func beginAgain(waitingAtMost patience: Duration) throws(MemoryError) {
    let now = clock.now()
    let outage = Outage("its files are begun again", at: now, pause: 0)
    let given = state.withLock { state -> Tier? in
      switch state {
      case .opened(let tier, _):
        state = .opening(outage)
        return tier
      case .waiting, .opening:
        state = .opening(outage)
        return nil
      case .closed: return nil
      }
    }
    given?.close()
    let removal = Result { () throws(MemoryError) in try Self.removeFiles(in: directory, waitingAtMost: patience) }
    openAgain(after: outage)
    try removal.get()
  }

  /// Removes the files of a tier that this process does not use.
  package static func removeFiles(in directory: String, waitingAtMost patience: Duration) throws(MemoryError) {
    do throws(LMDBError) {
      try LMDBTier.removeFiles(in: directory, until: .after(patience))
    } catch {
      throw MemoryError(error.code == .busy ? .busy : .unavailable, "\(error)", cause: error)
    }
  }

  /// It stays closed.
  package func close() {
    let now = clock.now()
    let tier = state.withLock { state -> Tier? in
      defer { state = .closed(Outage("it was closed", at: now, pause: .max)) }
      if case .opened(let tier, _) = state { return tier }
      return nil
    }
    tier?.close()
  }
}
