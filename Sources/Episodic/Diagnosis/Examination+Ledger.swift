import AgentLedger
import EpisodicMemory
import FileLocks

/// The ledger beside the memory.
extension Examination {
  func examineLedger() async throws(MemoryError) {
    let path = directory.path + "/" + Ledger.fileName
    guard let status = status(of: path), status.kind == .regular else { return }
    progress("the ledger")
    var open = Ledger.OpenOptions()
    open.isReadOnly = true
    open.create = false
    open.busyTimeout = options.busyTimeout
    open.clock = options.clock
    open.logger = .silent
    do throws(MemoryError) {
      let ledger = try await Ledger.open(at: directory.path, options: open)
      let subjects: [Ledger.Check.Subject] = options.depth == .full ? Ledger.Check.Subject.allCases : [.schema]
      let checks: [Ledger.Check]
      let maintained: Timestamp?
      do throws(MemoryError) {
        (checks, maintained) = (try await ledger.check(subjects), try await ledger.lastMaintained())
      } catch {
        try await ledger.close()
        throw error
      }
      try await ledger.close()
      saw("ledger", "\(status.size.asBytes), \(maintained.map { "maintained at \($0)" } ?? "never maintained")")
      for check in checks {
        switch check.outcome {
        case .passed: break
        case .failed(let reason): found(.ledgerWrong, path, "\(check.subject.rawValue): \(reason)")
        case .damaged(let reason): found(.ledgerDamaged, path, "\(check.subject.rawValue): \(reason)")
        }
      }
    } catch let error where error.code == .cancelled {
      throw error
    } catch {
      found(error.code == .corrupted ? .ledgerDamaged : .ledgerUnavailable, path, error.message)
    }
  }
}
