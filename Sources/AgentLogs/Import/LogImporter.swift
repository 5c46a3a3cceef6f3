package import EpisodicMemory
import FileLocks
import Foundation
package import Interchange

/// Takes the logs of coding agents into a memory.
///
/// Logs are read line by line, each record type that is not known is counted and left out, and an episode is stored under an id
/// that follows from the log: a second import changes nothing, and a log that grew adds its steps.
package struct LogImporter: Sendable {
  package struct Options: Sendable {
    /// `nil`: by the first lines of each file.
    package var format: LogFormat?
    /// Episodes that began before are left out.
    package var since: Timestamp?
    /// `nil`: by the directory that the agent worked in.
    package var domain: String?
    /// How far episodes are trusted.
    package var provenance: ImportOptions
    /// Whether nothing is stored.
    package var isDryRun: Bool

    package init(
      format: LogFormat? = nil, since: Timestamp? = nil, domain: String? = nil, provenance: ImportOptions = .init(),
      isDryRun: Bool = false
    ) {
      (self.format, self.since, self.domain) = (format, since, domain)
      (self.provenance, self.isDryRun) = (provenance, isDryRun)
    }
  }

  /// Episodes and bytes of one transaction.
  private static let batchEpisodes = 32
  private static let batchBytes = 2 << 20
  /// For so long a log without a result for its last call may go on.
  private static let growing: Int64 = 24 * 3_600_000

  private let options: Options
  private let clock: any WallClock
  /// `nil`: no store, so everything is new.
  private let memory: Memory?
  private var report = LogReport()
  private var batch: [LoggedEpisode] = []
  private var batchedBytes = 0
  /// Digests of the episodes that were erased from the store.
  private var erased: Set<Erasure.Digest> = []
  private var domains: [String: String] = [:]
  /// Whether the file that was read last may have more to tell though it does not change.
  private var isUnfinished = false

  /// - Parameter memory: `nil` for a dry run without a store.
  private init(_ options: Options, _ memory: Memory?, _ clock: any WallClock) {
    (self.options, self.memory, self.clock) = (options, memory, clock)
  }

  /// Reads the files one after the other.
  ///
  /// - Parameters:
  ///   - state: What is known of files that were read before: those that did not change are left out.
  ///   - progress: Called with the bytes that are done and those of all files.
  /// - Complexity: Reads a file of Claude Code twice, since its end decides which of its branches count.
  /// - Throws: `.cancelled`; `.invalid` for a file that cannot be read; what the store throws. What was stored by then stays.
  package static func run(
    _ files: [LogFile], into memory: Memory?, _ options: Options, state: SyncState? = nil,
    clock: any WallClock = SystemClock(), progress: @escaping @Sendable (Int64, Int64) -> Void = { _, _ in }
  ) async throws(MemoryError) -> (report: LogReport, state: SyncState) {
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      var importer = LogImporter(options, memory, clock)
      var state = state ?? SyncState()
      let isSync = state.isKept
      try await importer.readErasures()
      let total = files.reduce(0) { $0 + $1.size }
      var done: Int64 = 0
      for file in files {
        try MemoryError.throwIfCancelled()
        if isSync, state.has(file) {
          importer.report.unchangedFiles += 1
        } else {
          try await importer.read(file)
          if !importer.isUnfinished { state.note(file) }
        }
        done += file.size
        progress(done, total)
      }
      try await importer.storeBatch()
      return (importer.report, state)
    }
  }

  private mutating func readErasures() async throws(MemoryError) {
    guard let memory else { return }
    for receipt in try await memory.receipts() {
      let traces = try await memory.primaryStore.storedReceipt(receipt.id)?.traces ?? []
      erased.formUnion(traces.filter { $0.subject == .episode }.map(\.digest))
    }
  }

  // MARK: Reading

  private mutating func read(_ file: LogFile) async throws(MemoryError) {
    isUnfinished = false
    if let since = options.since, file.modified < since {
      report.unchangedFiles += 1
      return
    }
    let input = try OpenInput(.file(file.path))
    var known = options.format
    if known == nil { known = try LogFormat.detect(input) }
    guard let format = known else {
      report.unknownFiles.append(file.path)
      return
    }
    report.files += 1
    switch format {
    case .claude:
      var lineage = ClaudeLineage()
      _ = try Self.eachLine(of: input) { lineage.note($0) }
      lineage.close()
      try await read(input, file, ClaudeLog(lineage, parentCall: SubagentFile.parentCall(beside: file.path)))
    case .codex: try await read(input, file, CodexLog(name: file.name))
    case .otel: try await read(input, file, TraceLog<OpenTelemetrySpans>())
    case .openaiAgents: try await read(input, file, TraceLog<AgentsSDKSpans>())
    case .langsmith: try await read(input, file, TraceLog<LangSmithSpans>())
    case .sweAgent: try await readTrajectory(input, file)
    }
  }

  private mutating func read<Parser: LogParser>(
    _ input: OpenInput, _ file: LogFile, _ parser: Parser
  ) async throws(MemoryError) {
    var parser = parser
    var reader = LineReader(input)
    while true {
      do throws(MemoryError) {
        guard let line = try reader.next() else { break }
        switch LogLine.record(line.bytes, for: Parser.self) {
        case .record(let type, let record): parser.read(record, type, &report.counts)
        case .other(let type): report.note(other: type)
        case .malformed: report.badLines += 1
        }
      } catch let error where error.code.isOfInput {
        report.badLines += 1
      }
      if reader.number.isMultiple(of: 1024) { try MemoryError.throwIfCancelled() }
      try await take(parser.takeFinished(), of: file)
    }
    report.lines += reader.number
    report.bytes += reader.bytesRead
    let isGrowing = clock.now().milliseconds - file.modified.milliseconds < Self.growing
    try await take(parser.finish(isGrowing: isGrowing), of: file)
  }

  /// A file that is one object.
  private mutating func readTrajectory(_ input: OpenInput, _ file: LogFile) async throws(MemoryError) {
    report.lines += 1
    report.bytes += file.size
    guard file.size <= Trajectory.maximumBytes else {
      report.badLines += 1
      return
    }
    var bytes = [UInt8](repeating: 0, count: Int(file.size))
    let read: Result<Int, MemoryError> = bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(MemoryError) in try input.read(into: buffer, at: 0) }
    }
    bytes.removeLast(bytes.count - (try read.get()))
    do throws(MemoryError) {
      let episode = try Trajectory.episode(bytes, name: file.name)
      try await take(episode.map { [$0] } ?? [], of: file)
      if episode == nil { report.unknownFiles.append(file.path) }
    } catch let error where error.code.isOfInput {
      report.badLines += 1
    }
  }

  /// - Returns: Lines.
  private static func eachLine(of input: OpenInput, _ body: ([UInt8]) -> Void) throws(MemoryError) -> Int {
    var reader = LineReader(input)
    while true {
      do throws(MemoryError) {
        guard let line = try reader.next() else { return reader.number }
        body(line.bytes)
        if reader.number.isMultiple(of: 1024) { try MemoryError.throwIfCancelled() }
      } catch let error where error.code.isOfInput {
        // Too long; counted when the records are read.
        continue
      }
    }
  }

  // MARK: Storing

  private mutating func take(_ episodes: [LoggedEpisode], of file: LogFile) async throws(MemoryError) {
    for episode in episodes {
      if episode.ending == .unfinished { isUnfinished = true }
      if let since = options.since, let begin = episode.begin, begin < since {
        report.tooOld += 1
        continue
      }
      report.openCalls += episode.openCalls
      report.redacted += episode.redacted + episode.steps.reduce(0) { $0 + $1.redacted }
      batch.append(episode)
      batchedBytes += episode.bytes
      if batch.count >= Self.batchEpisodes || batchedBytes >= Self.batchBytes {
        try await storeBatch(at: file.modified)
      }
    }
    // Times that a log lacks are those of its file.
    if !batch.isEmpty, batch.contains(where: { $0.begin == nil }) { try await storeBatch(at: file.modified) }
  }

  private mutating func storeBatch(at time: Timestamp? = nil) async throws(MemoryError) {
    let time = time ?? clock.now()
    let logged = batch
    batch = []
    batchedBytes = 0
    var episodes: [Episode] = []
    for one in logged {
      let domain = domain(of: one)
      episodes.append(options.provenance.sourced(one.episode(in: domain, at: time)))
    }
    guard let memory else {
      for episode in episodes { report.note(episode, stored: nil, merged: episode) }
      return
    }
    var wanted: [Episode] = []
    for episode in episodes {
      if !erased.isEmpty, erased.contains(try await memory.erasureDigest(.episode, of: episode.id.rawValue)) {
        report.erased += 1
      } else {
        wanted.append(episode)
      }
    }
    if options.isDryRun {
      for episode in wanted {
        let stored = try await memory.episode(episode.id)
        report.note(episode, stored: stored, merged: LogMerge.merged(episode, onto: stored))
      }
      return
    }
    let all = wanted
    // Added up from an empty report, since a transaction may run twice.
    let written = try await memory.write { batch throws(MemoryError) in
      var written = LogReport()
      for episode in all {
        let stored = try batch.episode(episode.id)
        let merged = LogMerge.merged(episode, onto: stored)
        if let merged { try batch.insert([merged], existing: .replace) }
        written.note(episode, stored: stored, merged: merged)
      }
      return written
    }
    report.add(written)
  }

  private mutating func domain(of episode: LoggedEpisode) -> String {
    if let domain = options.domain ?? episode.domain { return domain }
    let directory = episode.directory ?? ""
    if let known = domains[directory] { return known }
    let name = directory.isEmpty ? episode.agent : ProjectDomain.name(at: directory)
    domains[directory] = name
    return name
  }
}

extension LogReport {
  fileprivate mutating func note(_ episode: Episode, stored: Episode?, merged: Episode?) {
    guard let merged else {
      unchanged += 1
      return
    }
    if stored == nil { added += 1 } else { changed += 1 }
    steps += merged.stepCount - (stored?.stepCount ?? 0)
  }

  fileprivate mutating func add(_ written: LogReport) {
    added += written.added
    changed += written.changed
    unchanged += written.unchanged
    steps += written.steps
  }
}

/// The file beside the log of a subagent.
private enum SubagentFile {
  private static let maximumBytes = 1 << 20

  /// The call that began the subagent; `nil` if there is no such file, or it does not say.
  static func parentCall(beside path: String) -> String? {
    guard path.hasSuffix(".jsonl") else { return nil }
    let meta = String(path.dropLast(6)) + ".meta.json"
    guard access(meta, R_OK) == 0 else { return nil }
    do {
      let data = try Data(contentsOf: URL(filePath: meta))
      guard data.count <= maximumBytes else { return nil }
      return try JSON(text: String(decoding: data, as: UTF8.self)).members?.name("toolUseId")
    } catch {
      // It adds a detail; the log is read without it.
      return nil
    }
  }
}
