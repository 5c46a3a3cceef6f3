import AgentLogs
import ArgumentParser
import Episodic

struct Import: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Imports episodes, one JSON object a line, or the logs of coding agents.",
    discussion: """
      Every line of every file is checked first; one bad line prevents the import, unless --keep-going skips the bad \
      ones. Each is reported with its file, line, field and remedy.

      A line has id, task_type, domain, context, status, created_at and steps, and may have session, success_rate, \
      completed_at, metadata, source, source_id, actor, trust and derived_from. A step has action and timestamp, and may have \
      step_number, result, tool, duration_ms, success, source, source_id, actor and trust. Times are ISO 8601 with a zone.

      What a file says of its own trust holds, so import what others wrote with --source import or --trust unverified: nothing \
      of it is trusted more than that.

      With --existing replace, an episode keeps the vectors whose text did not change; others are dropped and counted.

      --format claude or codex reads logs of Claude Code or Codex, files or directories with them: see episodic sync, which \
      knows where they are. otel, openai-agents and langsmith read exported traces, swe-agent trajectories, and auto finds out \
      which. A second import changes nothing, and a log that grew adds its steps.

      EXAMPLES:
        episodic import runs.jsonl
        episodic import --vectors runs.f32 --model all-MiniLM-L6-v2 --dimensions 384 runs.jsonl
        episodic import --source import --source-id vendor-2026 vendor.jsonl
        zcat runs.jsonl.gz | episodic import --existing skip -
        episodic import --format auto --dry-run old-logs
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("Files to import; - is standard input.", valueName: "file"))
  var files: [String]

  @Option(help: ArgumentHelp("What the files are: episodes, or logs of a form.", valueName: "form"))
  var format = ImportFormat.episodes

  @Option(help: ArgumentHelp("Vectors of the contexts: raw little-endian float32, a row a line.", valueName: "file"))
  var vectors: String?

  @Option(help: ArgumentHelp("The model that made the vectors.", valueName: "name"))
  var model: String?

  @Option(help: ArgumentHelp("Numbers in a vector.", valueName: "n"))
  var dimensions: Int?

  @Option(
    help: ArgumentHelp(
      "For an id that exists already: fail, skip (keep the stored episode) or replace.", valueName: "policy"))
  var existing = Episode.ExistingPolicy.fail

  @Option(
    help: ArgumentHelp(
      "The source of lines that name none; no line is trusted more than it.", valueName: "kind"))
  var source: Provenance.Source?

  @Option(help: ArgumentHelp("The id of the source of lines that name none.", valueName: "id"))
  var sourceId: String?

  @Option(help: ArgumentHelp("Trust no line more than this.", valueName: "level"))
  var trust: Trust?

  @Flag(help: "Skip bad lines, import the rest, and exit 1.")
  var keepGoing = false

  @Flag(help: "Replace NUL, unpaired surrogates and bytes that are not UTF-8 by U+FFFD, and count them.")
  var repair = false

  @Option(help: ArgumentHelp("Refuse longer lines.", valueName: "bytes"))
  var maxLine = ImportOptions().maximumLineBytes

  @Option(help: ArgumentHelp("Of logs: leave out what began before.", valueName: "time"), transform: TimeText.parse)
  var since: Timestamp?

  @Option(help: ArgumentHelp("Of logs: the domain, if not that of each directory.", valueName: "domain"))
  var domain: String?

  @Flag(help: "Of logs: say what would be stored.")
  var dryRun = false

  @Flag(help: "Print the report as one JSON object.")
  var json = false

  func validate() throws {
    if format == .episodes {
      guard since == nil, domain == nil, !dryRun else {
        throw ValidationError("--since, --domain and --dry-run are for logs of agents; name their form with --format")
      }
    } else {
      guard vectors == nil, model == nil, dimensions == nil, existing == .fail, !keepGoing, !repair else {
        throw ValidationError(
          "--vectors, --model, --dimensions, --existing, --keep-going and --repair are for episodes; leave them out "
            + "with --format \(format.rawValue)")
      }
    }
    if let domain, domain.isEmpty { throw ValidationError("--domain is empty; name one, or leave it out") }
    for file in files { try NonUTF8Arguments.refuse(file, as: "the file") }
    if let vectors { try NonUTF8Arguments.refuse(vectors, as: "--vectors") }
    let given = [vectors != nil, model != nil, dimensions != nil]
    guard given.allSatisfy({ $0 == given[0] }) else {
      throw ValidationError("--vectors, --model and --dimensions belong together; give all three or none")
    }
    guard maxLine > 0 else { throw ValidationError("--max-line is \(maxLine); a line has at least one byte") }
  }

  func run() async throws {
    if let form = format.logs {
      let options = LogImporter.Options(
        format: form, since: since, domain: domain,
        provenance: ImportOptions(source: source, sourceID: sourceId, maximumTrust: trust), isDryRun: dryRun)
      return try await LogRun(store: store, options: options, isJSON: json).run(try LogFile.all(at: files))
    }
    var vectorSource: VectorSource?
    if let vectors, let dimensions {
      vectorSource = VectorSource(InputFile(argument: vectors), model: model, dimensions: dimensions)
    }
    let options = ImportOptions(
      existing: existing, keepGoing: keepGoing, repair: repair, maximumLineBytes: maxLine, source: source,
      sourceID: sourceId, maximumTrust: trust)
    var importer = try Importer(files: files.map(InputFile.init(argument:)), vectors: vectorSource, options: options)
    let show = { (progress: ImportProgress) in
      StandardError.progress(progress.line)
    }
    let report: ImportReport
    do {
      defer { StandardError.endProgress() }
      // Bad input creates no store.
      if !store.exists { try await importer.check(show) }
      report = try await store.withMemory(creating: true) { memory in try await importer.run(into: memory, show) }
    }
    for line in report.rejected { StandardError.write("episodic: \(line.description.inCommandTerms.onOneLine)") }
    json ? StandardOutput.write(report.json) : StandardOutput.write(report.sentence)
    if !report.rejected.isEmpty { throw ExitCode(1) }
  }
}

/// What the files of an import are.
enum ImportFormat: String, CaseIterable, ExpressibleByArgument {
  case episodes, auto, claude, codex, otel
  case openaiAgents = "openai-agents"
  case langsmith
  case sweAgent = "swe-agent"

  /// `nil` for episodes; the form of logs, or no certain one, else.
  var logs: LogFormat?? {
    switch self {
    case .episodes: nil
    case .auto: .some(nil)
    default: .some(LogFormat(rawValue: rawValue))
    }
  }
}

extension ImportProgress {
  fileprivate var line: String {
    // The size of a pipe is unknown before its end.
    let percent = bytes > 0 ? " \(bytesDone * 100 / bytes)%" : ""
    return "\(stage.rawValue)\(percent) (\(counted(lines, "line")))"
  }
}

extension ImportReport {
  fileprivate var json: JSON {
    [
      "imported": .integer(Int64(imported)), "skipped": .integer(Int64(skipped)), "steps": .integer(Int64(steps)),
      "vectors": .integer(Int64(vectors)), "vectors_kept": .integer(Int64(keptVectors)),
      "vectors_dropped": .integer(Int64(droppedVectors)),
      "repaired_characters": .integer(Int64(repairedCharacters)), "repaired_lines": .integer(Int64(repairedLines)),
      "rejected": .integer(Int64(rejected.count)),
    ]
  }

  fileprivate var sentence: String {
    var parts = ["imported \(counted(imported, "episode"))", counted(steps, "step")]
    if vectors > 0 { parts.append(counted(vectors, "vector")) }
    if droppedVectors > 0 {
      parts.append(
        "\(counted(droppedVectors, "vector")) dropped: \(droppedVectors == 1 ? "its" : "their") text changed")
    }
    if repairedCharacters > 0 {
      parts.append("repaired \(counted(repairedCharacters, "character")) in \(counted(repairedLines, "line"))")
    }
    if skipped > 0 { parts.append("skipped \(counted(skipped, "episode"))") }
    if !rejected.isEmpty { parts.append("left out \(counted(rejected.count, "bad line"))") }
    return parts.joined(separator: ", ")
  }
}
