public import AgentLedger
public import EpisodicMemory

extension AgentStore {
  /// What maintaining both did.
  public struct MaintenanceReport: Hashable, Sendable {
    /// Of the memory.
    public let memory: EpisodicMemory.MaintenanceReport
    /// Of the ledger.
    public let ledger: Ledger.MaintenanceReport
  }

  /// What checking both found.
  public struct CheckReport: Hashable, Sendable {
    /// Of the memory.
    public let memory: [MemoryCheck]
    /// Of the ledger.
    public let ledger: [Ledger.Check]

    /// Whether nothing was found.
    public var hasPassed: Bool {
      memory.allSatisfy { $0.outcome == .passed } && ledger.allSatisfy { $0.outcome == .passed }
    }
  }

  /// Does what is due in both, in small slices: `Memory.maintain(_:)` and `Ledger.maintain(_:)`. Runs that have ended become
  /// episodes before, so that retention finds their tasks free.
  @discardableResult
  public func maintain(
    _ options: MaintenanceOptions = MaintenanceOptions(),
    ledger ledgerOptions: Ledger.MaintenanceOptions = Ledger.MaintenanceOptions()
  ) async throws(MemoryError) -> MaintenanceReport {
    if !options.isDryRun, !ledgerOptions.isDryRun { try await consolidate() }
    return MaintenanceReport(
      memory: try await memory.maintain(options), ledger: try await ledger.maintain(ledgerOptions))
  }

  /// Says what is not as it should be in either file: `Memory.check(_:)` and `Ledger.check()`.
  public func check(_ depth: MemoryCheck.Depth = .full) async throws(MemoryError) -> CheckReport {
    CheckReport(memory: try await memory.check(depth), ledger: try await ledger.check())
  }
}
