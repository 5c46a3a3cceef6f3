import ArgumentParser
import Episodic

struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Verifies the primary, and cache and index against it.",
    discussion: """
      Reads everything once; with --quick, in seconds, what shows that the database is whole. FAILED: derived data is \
      wrong, and episodic rebuild repairs it, or another program wrote rows that the reason names: exit 1. DAMAGED: the \
      primary itself is damaged; restore a backup, or save what can still be read with episodic salvage: exit 3. A note \
      names a task of maintenance that failed, and changes no exit status. A ledger beside the memory is checked too, with \
      --quick its schema alone.

      EXAMPLES:
        episodic check
        episodic check --quick
        episodic check --repair
        episodic check --json | jq -e .passed
      """)

  @OptionGroup var store: StoreOptions

  @Flag(exclusivity: .exclusive, help: "How much to read: --full everything, as without either; --quick the structure.")
  var depth = Depth.full

  @Flag(help: "Rebuild what is derived if it is wrong, and check again.")
  var repair = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let (checks, failures) = try await store.withMemory { memory in
      defer { StandardError.endProgress() }
      func check() async throws -> [MemoryCheck] {
        try await memory.check(depth.memoryDepth) { stage in StandardError.progress("checking the \(stage)") }
      }
      let checks = try await check()
      let failures = try await memory.failedMaintenance()
      guard repair, checks.map(\.outcome.exitCode).max() == 1 else { return (checks, failures) }
      try await memory.rebuild { step in StandardError.progress("rebuilding the \(step.stage)") }
      return (try await check(), failures)
    }
    let all = checks + (try await ledgerChecks())
    let notes = failures.map { task, failure in
      "the task \(task) of maintenance failed at \(failure.at): \(failure.reason.inCommandTerms)"
    }
    let code = all.map(\.outcome.exitCode).max() ?? 0
    if json {
      StandardOutput.write([
        "checks": .array(all.map(\.json)), "notes": .array(notes.map(JSON.string)), "passed": .bool(code == 0),
      ])
    } else {
      for check in all { StandardOutput.write(check.line) }
      for note in notes { StandardOutput.write("note     \(note.onOneLine)") }
    }
    if code != 0 { throw ExitCode(code) }
  }

  /// Of the ledger beside the memory, if there is one.
  private func ledgerChecks() async throws -> [MemoryCheck] {
    guard store.hasLedger else { return [] }
    StandardError.progress("checking the ledger")
    defer { StandardError.endProgress() }
    do {
      return try await store.withLedger { ledger in
        try await ledger.check(depth == .quick ? [.schema] : Ledger.Check.Subject.allCases)
      }.map(MemoryCheck.init)
    } catch let error as MemoryError where error.code == .corrupted || error.code == .notAStore {
      return [MemoryCheck("ledger", error.code == .corrupted ? .damaged(error.message) : .failed(error.message))]
    }
  }
}

extension MemoryCheck {
  fileprivate init(_ check: Ledger.Check) {
    let outcome: Outcome =
      switch check.outcome {
      case .passed: .passed
      case .failed(let reason): .failed(reason)
      case .damaged(let reason): .damaged(reason)
      }
    self.init("ledger: \(check.subject.rawValue)", outcome)
  }
}

/// The flags of a depth.
enum Depth: String, EnumerableFlag {
  case full, quick

  var memoryDepth: MemoryCheck.Depth {
    switch self {
    case .full: .full
    case .quick: .quick
    }
  }
}

extension MemoryCheck {
  fileprivate var line: String {
    switch outcome {
    case .passed: "ok       \(name)"
    case .failed(let reason): "FAILED   \(name): \(reason.inCommandTerms.onOneLine)"
    case .damaged(let reason): "DAMAGED  \(name): \(reason.inCommandTerms.onOneLine)"
    }
  }

  fileprivate var json: JSON {
    switch outcome {
    case .passed: ["name": .string(name), "outcome": "passed"]
    case .failed(let reason): ["name": .string(name), "outcome": "failed", "reason": .string(reason.inCommandTerms)]
    case .damaged(let reason): ["name": .string(name), "outcome": "damaged", "reason": .string(reason.inCommandTerms)]
    }
  }
}

extension MemoryCheck.Outcome {
  fileprivate var exitCode: Int32 {
    switch self {
    case .passed: 0
    case .failed: 1
    case .damaged: 3
    }
  }
}
