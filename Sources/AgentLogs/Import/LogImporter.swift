package import EpisodicMemory
import FileLocks
import Foundation
package import Interchange

/// Takes the logs of coding agents into a memory.
///
/// Logs are read line by line, each record type that is not known is counted and left out, and an episode is stored under an id
/// that follows from the log: a second import changes nothing, and a log that grew adds its steps.
///
/// A batch of episodes is stored in a child task while the next one is read; there is one such task at most.
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

  private typealias Stored = Result<LogReport, MemoryError>
  /// The batch that is being stored.
  private typealias Storing = TaskGroup<Stored>

  private let options: Options
  private let clock: any WallClock
  private let writer: LogWriter
  private var report = LogReport()
  private var batch: [LoggedEpisode] = []
  private var batchedBytes = 0
  private var domains: [String: String] = [:]
  /// Whether the file that was read last may have more to tell though it does not change.
  private var isUnfinished = false

  private init(_ options: Options, _ writer: LogWriter, _ clock: any WallClock) {
    (self.options, self.writer, self.clock) = (options, writer, clock)
  }

  /// Reads the files one after the other.
  ///
  /// - Parameters:
  ///   - memory: `nil` for a dry run without a store.
  ///   - state: What is known of files that were read before: those that did not change are left out.
  ///   - progress: Called with the bytes that are done and those of all files.
  /// - Complexity: Reads a file of Claude Code twice, since its end decides which of its branches count.
  /// - Throws: `.cancelled`; `.invalid` for a file that cannot be read; what the store throws. What was stored by then stays.
  package static func run(
    _ files: [LogFile], into memory: Memory?, _ options: Options, state: SyncState? = nil,
    clock: any WallClock = SystemClock(), progress: @escaping @Sendable (Int64, Int64) -> Void = { _, _ in }
  ) async throws(MemoryError) -> (report: LogReport, state: SyncState) {
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      var importer = LogImporter(options, try await LogWriter(memory, isDryRun: options.isDryRun), clock)
      var state = state ?? SyncState()
      let result = await withTaskGroup(of: Stored.self) { storing -> Result<Void, MemoryError> in
        do throws(MemoryError) {
          try await importer.read(files, &state, &storing, progress)
          return .success(())
        } catch {
          // The batch before is stored to its end, and if that fails, it failed first.
          if case .failure(let earlier)? = await storing.next() { return .failure(earlier) }
          return .failure(error)
        }
      }
      try result.get()
      return (importer.report, state)
    }
  }

  // MARK: Reading

  private mutating func read(
    _ files: [LogFile], _ state: inout SyncState, _ storing: inout Storing, _ progress: (Int64, Int64) -> Void
  ) async throws(MemoryError) {
    let total = files.reduce(0) { $0 + $1.size }
    var done: Int64 = 0
    for file in files {
      try MemoryError.throwIfCancelled()
      if state.isKept, state.has(file) {
        report.unchangedFiles += 1
      } else {
        try await read(file, &storing)
        if !isUnfinished { state.note(file) }
      }
      done += file.size
      progress(done, total)
    }
    try await storeBatch(at: clock.now(), &storing)
    try await finishStoring(&storing)
  }

  private mutating func read(_ file: LogFile, _ storing: inout Storing) async throws(MemoryError) {
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
      try await read(input, file, ClaudeLog(lineage, parentCall: SubagentFile.parentCall(beside: file.path)), &storing)
    case .codex: try await read(input, file, CodexLog(name: file.name), &storing)
    case .otel: try await read(input, file, TraceLog<OpenTelemetrySpans>(), &storing)
    case .openaiAgents: try await read(input, file, TraceLog<AgentsSDKSpans>(), &storing)
    case .langsmith: try await read(input, file, TraceLog<LangSmithSpans>(), &storing)
    case .sweAgent: try await readTrajectory(input, file, &storing)
    }
  }

  private mutating func read<Parser: LogParser>(
    _ input: OpenInput, _ file: LogFile, _ parser: Parser, _ storing: inout Storing
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
      try await take(parser.takeFinished(), of: file, &storing)
    }
    report.lines += reader.number
    report.bytes += reader.bytesRead
    let isGrowing = clock.now().milliseconds - file.modified.milliseconds < Self.growing
    try await take(parser.finish(isGrowing: isGrowing), of: file, &storing)
  }

  /// A file that is one object.
  private mutating func readTrajectory(
    _ input: OpenInput, _ file: LogFile, _ storing: inout Storing
  ) async throws(MemoryError) {
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
    let episode: LoggedEpisode?
    do throws(MemoryError) {
      episode = try Trajectory.episode(bytes, name: file.name)
    } catch let error where error.code.isOfInput {
      report.badLines += 1
      return
    }
    try await take(episode.map { [$0] } ?? [], of: file, &storing)
    if episode == nil { report.unknownFiles.append(file.path) }
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

  private mutating func take(
    _ episodes: [LoggedEpisode], of file: LogFile, _ storing: inout Storing
  ) async throws(MemoryError) {
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
        try await storeBatch(at: file.modified, &storing)
      }
    }
    // Times that a log lacks are those of its file.
    if !batch.isEmpty, batch.contains(where: { $0.begin == nil }) {
      try await storeBatch(at: file.modified, &storing)
    }
  }

  /// Begins to store the batch, when the one before is stored.
  ///
  /// - Parameter time: For what has no time in the log.
  private mutating func storeBatch(at time: Timestamp, _ storing: inout Storing) async throws(MemoryError) {
    guard !batch.isEmpty else { return }
    var episodes: [Episode] = []
    for one in batch {
      let domain = domain(of: one)
      episodes.append(options.provenance.sourced(one.episode(in: domain, at: time)))
    }
    batch = []
    batchedBytes = 0
    try await finishStoring(&storing)
    storing.addTask { [writer, episodes] in
      do throws(MemoryError) { return .success(try await writer.store(episodes)) } catch { return .failure(error) }
    }
  }

  /// Waits until the batch before is stored.
  private mutating func finishStoring(_ storing: inout Storing) async throws(MemoryError) {
    if let stored = await storing.next() { report.add(try stored.get()) }
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
