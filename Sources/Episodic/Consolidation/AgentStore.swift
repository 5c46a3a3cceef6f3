public import AgentLedger
public import EpisodicMemory
import Foundation
import Logging

/// A memory and the ledger beside it, in one directory: what an agent runtime needs of local databases.
///
/// While it is open, each run that ends becomes an episode by itself, also a run that another process has ended.
///
/// ```swift
/// let store = try await AgentStore.open(at: "~/agent")
/// let run = try await store.ledger.start(Ledger.Run.Draft(.testing, domain: "web", context: "the login fails"))
/// ```
public struct AgentStore: Sendable {
  /// What was done, and is recalled.
  public let memory: Memory
  /// What is being done.
  public let ledger: Ledger
  private let consolidator: Consolidator?

  /// How to open both.
  public struct OpenOptions: Sendable {
    /// Of the memory.
    public var memory = Memory.OpenOptions()
    /// Of the ledger. Its clock, its timeout and whether it is created are those of the memory, unless they are set here.
    public var ledger: Ledger.OpenOptions?
    /// Whether runs become episodes by themselves while the store is open.
    public var consolidatesByItself = true

    /// The defaults.
    public init() {}

    fileprivate var ofLedger: Ledger.OpenOptions {
      if let ledger { return ledger }
      var options = Ledger.OpenOptions()
      options.clock = memory.clock
      options.busyTimeout = memory.busyTimeout
      options.create = memory.create
      options.isReadOnly = memory.access == .readOnly
      options.survivesPowerLoss = memory.durability == .full
      return options
    }
  }

  /// Opens the memory and the ledger in a directory; creates what is not there, if the options allow it.
  ///
  /// - Throws: As `Memory.open(at:options:)` and `Ledger.open(at:options:)`.
  public static func open(
    at directory: String, options: OpenOptions = OpenOptions()
  ) async throws(MemoryError) -> AgentStore {
    let memory = try await Memory.open(at: directory, options: options.memory)
    let ledger: Ledger
    do throws(MemoryError) {
      ledger = try await Ledger.open(at: directory, options: options.ofLedger)
    } catch {
      do throws(MemoryError) {
        try await memory.close()
      } catch {
        options.memory.logger.warning(
          "the memory of \(directory) was not closed in order; nothing that was acknowledged is lost",
          metadata: ["event": "ledger.memory_not_closed", "path": "\(directory)", "error": "\(error)"])
      }
      throw error
    }
    return AgentStore(
      memory, ledger, consolidates: options.consolidatesByItself && options.memory.access == .readWrite,
      logger: options.memory.logger)
  }

  private init(_ memory: Memory, _ ledger: Ledger, consolidates: Bool, logger: Logger) {
    (self.memory, self.ledger) = (memory, ledger)
    consolidator = consolidates ? Consolidator(memory, ledger, logger) : nil
  }

  /// Makes an episode of each run that has ended and is none yet; see `Memory.consolidate(_:)`.
  @discardableResult
  public func consolidate() async throws(MemoryError) -> ConsolidationReport { try await memory.consolidate(ledger) }

  /// Consolidates what has ended, and closes both; calls that came before end first.
  ///
  /// - Throws: The first error of these; whatever it is, both are closed.
  public func close() async throws(MemoryError) {
    await consolidator?.stop()
    var failure: MemoryError?
    func attempt(_ work: () async throws(MemoryError) -> Void) async {
      do throws(MemoryError) { try await work() } catch { failure = failure ?? error }
    }
    if consolidator != nil { await attempt { () async throws(MemoryError) in _ = try await consolidate() } }
    await attempt(ledger.close)
    await attempt(memory.close)
    if let failure { throw failure }
  }
}

/// Consolidates in the background after commits of the ledger.
private final class Consolidator: Sendable {
  private let work: Task<Void, Never>

  /// Commits come in crowds, and each would be looked at: so long one is waited for the next.
  private static let lull = Duration.milliseconds(100)
  private static let longestPause = Duration.seconds(60)

  init(_ memory: Memory, _ ledger: Ledger, _ logger: Logger) {
    work = Task.detached(priority: .utility) {
      var pause = Self.lull
      while !Task.isCancelled {
        do throws(MemoryError) {
          let stamp = try ledger.commitStamp()
          let report = try await memory.consolidate(ledger)
          for failure in report.failures {
            logger.warning(
              "a run stays in the ledger",
              metadata: ["event": "ledger.not_consolidated", "run": "\(failure.run)", "reason": "\(failure.reason)"])
          }
          try await ledger.waitForCommit(after: stamp)
          pause = Self.lull
        } catch {
          guard error.code != .closed, error.code != .cancelled else { return }
          pause = min(pause * 2, Self.longestPause)
          logger.warning(
            "consolidation failed; it is tried again",
            metadata: ["event": "ledger.consolidation_failed", "error": "\(error)", "pause": "\(pause)"])
        }
        // Ends only by cancellation, which the loop looks at.
        try? await Task.sleep(for: pause)
      }
    }
  }

  func stop() async {
    work.cancel()
    await work.value
  }

  deinit { work.cancel() }
}
