import AgentLogs
import ArgumentParser
import Episodic
import Foundation

/// Takes logs of agents into a store, for `import --format` and `sync`.
struct LogRun {
  let store: StoreOptions
  let options: LogImporter.Options
  let isJSON: Bool

  /// - Parameter state: Whether logs that did not change since the last time are left out.
  func run(_ files: [LogFile], isSync: Bool = false) async throws {
    if options.isDryRun, !store.exists { return try await run(files, into: nil, isSync: isSync) }
    try await store.withMemory(creating: !options.isDryRun, for: .largeImport) { memory in
      try await run(files, into: memory, isSync: isSync)
    }
  }

  private func run(_ files: [LogFile], into memory: Memory?, isSync: Bool) async throws {
    let report: LogReport
    do {
      defer { StandardError.endProgress() }
      report = try await take(files, into: memory, isSync: isSync)
    }
    if isJSON { StandardOutput.write(report.json) } else { print(report) }
    if report.files + report.unchangedFiles == 0, let first = report.unknownFiles.first {
      throw MemoryError(.invalid, "\(first) is no log of a form that is known; name its form with --format")
    }
  }

  /// Reads the files once.
  func take(_ files: [LogFile], into memory: Memory?, isSync: Bool) async throws -> LogReport {
    let (report, state) = try await LogImporter.run(
      files, into: memory, options, state: isSync ? SyncState(store: store.path) : nil
    ) { done, total in
      if total > 0 { StandardError.progress("reading \(done * 100 / total)%") }
    }
    if isSync, !options.isDryRun { try state.save(in: store.path) }
    return report
  }

  func print(_ report: LogReport) {
    var parts = [
      "\(counted(report.added, "new episode")), \(report.changed) changed, \(report.unchanged) unchanged",
      counted(report.steps, "new step"),
    ]
    if report.erased > 0 { parts.append("\(report.erased) erased before and left out") }
    if report.tooOld > 0 { parts.append("\(report.tooOld) older than --since") }
    StandardOutput.write(parts.joined(separator: ", ") + (options.isDryRun ? "; nothing was stored" : ""))
    var notes = ["\(counted(report.files, "log")) read, \(counted(report.lines, "line"))"]
    if report.unchangedFiles > 0 { notes.append("\(report.unchangedFiles) unchanged logs") }
    if !report.unknownFiles.isEmpty { notes.append("\(report.unknownFiles.count) files of no form that is known") }
    if report.badLines > 0 { notes.append(counted(report.badLines, "bad line")) }
    if report.resultsWithoutCall > 0 { notes.append("\(report.resultsWithoutCall) results without a call") }
    if report.openCalls > 0 { notes.append("\(report.openCalls) calls without a result") }
    if report.redacted > 0 { notes.append("\(report.redacted) credentials replaced") }
    let others = report.otherRecords.values.reduce(0, +)
    if others > 0 { notes.append("\(others) other records of \(counted(report.otherRecords.count, "type"))") }
    StandardOutput.write(notes.joined(separator: ", "))
  }
}
