import EpisodicMemory
import GRDB

/// Checks the chain of records.
enum AuditCheck {
  static let name = "audit"

  static func run(_ db: Database) throws -> MemoryCheck {
    var chain = AuditChain()
    try AuditRow.forEach(db) { chain.add($0) }
    let result = chain.verification()
    guard let first = result.findings.first else { return MemoryCheck(name, .passed) }
    let rest = result.findings.count - 1 + result.omittedFindings
    return MemoryCheck(name, .failed(first.message + (rest > 0 ? "; and \(rest) more" : "")))
  }
}
