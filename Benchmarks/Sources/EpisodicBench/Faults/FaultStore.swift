import Foundation

/// The store under test: the commands on it, the acknowledged writes, and the checks after each strike.
///
/// It is kept from strike to strike, so the next one meets what the last one left behind, and everything ever acknowledged
/// must be in it. After a problem it is created again.
final class FaultStore {
  /// A command to run, and what must hold if it exits with 0.
  struct Task: Sendable {
    let name: String
    let program: TracedProgram
    let arguments: [String]
    /// Episodes that exist if it exits with 0: the word of the step by the id of the episode.
    var promises: [String: String] = [:]
    /// An episode that the output must contain if it exits with 0.
    var finds: String?
    /// Allowed exit codes besides 0.
    var codes: Set<Int32> = [3]
    /// What the store has if it exits with 0, and may have otherwise, in place of what was acknowledged.
    var outcome: [String: String]?
  }

  private static let dimensions = 8
  private static let firstEpisodes = 8

  let tools: FaultTools
  let verb: FaultVerb
  /// The store and the temporary files of its processes: calls on these files are counted.
  private var folder: String { tools.folder }
  var path: String { folder + "/store" }
  var logIndex: String { path + "/memory.sqlite-shm" }
  private(set) var acknowledged: [String: String] = [:]
  /// What the store may have instead after the last task, which was cut short or failed.
  private var alternative: [String: String]?
  /// Words that no file of the store may have any more.
  private var forgotten: [String] = []
  /// The number in the last episode's id.
  private var number = 0
  private var turn = 0

  init(_ tools: FaultTools, for verb: FaultVerb) throws {
    self.tools = tools
    self.verb = verb
    try make()
  }

  /// Starts with a new store, or with none if the verb creates one.
  func make() throws {
    let files = FileManager.default
    if files.fileExists(atPath: folder) { try files.removeItem(atPath: folder) }
    try files.createDirectory(atPath: folder + "/tmp", withIntermediateDirectories: true)
    (acknowledged, alternative, forgotten) = ([:], nil, [])
    switch verb {
    case .open: return
    case .migrate:
      for index in 0..<Self.firstEpisodes { acknowledged["earlier-\(index)"] = "earlierword\(index)" }
      try files.createDirectory(atPath: path, withIntermediateDirectories: true)
      let newest = tools.streams + "/newest"
      let arguments = ["record", "--task", "testing", "--domain", "faults", "--", "true"]
      let run = try tools.command.run(tools.words(arguments, store: newest), deadline: tools.deadline)
      guard run.ending == .exited(0) else { throw BenchError("the store was not created: \(run.complaint)") }
      try EarlierSchema.make(
        at: path + "/memory.sqlite", from: newest + "/memory.sqlite", words: acknowledged)
    default:
      let episodes = (0..<Self.firstEpisodes).map { (id: "first-\($0)", word: "firstword\($0)") }
      let vectors = (0..<Self.firstEpisodes).flatMap(Self.vector)
      let (lines, rows) = (tools.streams + "/first.jsonl", tools.streams + "/first.f32")
      try write(episodes, to: lines)
      try Data(vectors.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
        .write(to: URL(filePath: rows))
      try Data(Self.vector(0).flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
        .write(to: URL(filePath: tools.streams + "/query.f32"))
      let arguments = ["import", "--vectors", rows, "--model", "bench", "--dimensions", "\(Self.dimensions)", lines]
      let run = try tools.command.run(tools.words(arguments, store: path), deadline: tools.deadline)
      guard run.ending == .exited(0) else { throw BenchError("the store was not created: \(run.complaint)") }
      for (id, word) in episodes { acknowledged[id] = word }
      // The first recall builds the index, the second is a cache hit.
      for _ in 0..<2 { try perform(task(.recall)) }
    }
  }

  private static func vector(_ index: Int) -> [Float] {
    (0..<dimensions).map { $0 == index % dimensions ? 1 : 0.125 }
  }

  // MARK: Commands

  /// The command to inject a fault into.
  func task(_ verb: FaultVerb) throws -> Task {
    number += 1
    // No word begins another.
    let (id, word) = ("\(verb.rawValue)-\(number)", "word\(verb.rawValue)\(number)z")
    func command(_ arguments: [String]) -> Task {
      Task(name: verb.rawValue, program: tools.command, arguments: tools.words(arguments, store: path))
    }
    switch verb {
    case .open, .record, .migrate:
      var task = command(["record", "--task", "testing", "--domain", "faults", "--episode", id, "--", "true", word])
      task.promises = [id: word]
      return task
    case .recall:
      let vector =
        acknowledged["first-0"] == nil
        ? [] : ["--query-vectors", tools.streams + "/query.f32", "--dimensions", "\(Self.dimensions)"]
      // A new text for each recall, so that the cache has no result, with a word whose episode is known.
      let (wanted, text) = acknowledged.min { $0.key < $1.key } ?? ("none", "none")
      var task = command(["recall", "--everywhere", "--json", "--limit", "20"] + vector + ["\(text) \(word)"])
      task.finds = wanted
      return task
    case .import:
      let episodes = (0..<3).map { (id: "\(id)-\($0)", word: "\(word)x\($0)") }
      // Another file than that of an import that still runs.
      let lines = tools.streams + "/import-\(number % 8).jsonl"
      try write(episodes, to: lines)
      var task = command(["import", lines])
      task.promises = Dictionary(uniqueKeysWithValues: episodes.map { ($0.id, $0.word) })
      return task
    case .check:
      var task = command(["check"])
      task.codes = [1, 3]
      return task
    case .rebuild: return command(["rebuild"])
    case .backup: return command(["backup", "--keep", "3"])
    case .maintain:
      var task = command(["maintain", "--full"])
      // A task of it failed.
      task.codes = [1, 3]
      return task
    case .restore:
      try require(command(["backup", "--keep", "2"]))
      let earlier = acknowledged
      try require(self.task(.record))
      var task = command(["restore", "@latest", "--yes"])
      task.outcome = earlier
      return task
    case .forget:
      var kept = command(["record", "--task", "testing", "--domain", "faults", "--episode", id, "--", "true", word])
      kept.promises = [id: word]
      try require(kept)
      // Its words are then in the index, and the answer in the cache.
      try require(command(["recall", "--everywhere", word]))
      var task = command(["forget", "--episode", id, "--everywhere", "--yes"])
      task.outcome = acknowledged.filter { $0.key != id }
      // It was erased, and traces are left in the files.
      task.codes = [1, 3]
      return task
    case .close:
      let episodes = (0..<2).map { "\(id)-\($0)=\(word)x\($0)" }
      return Task(
        name: verb.rawValue, program: tools.worker,
        arguments: [FaultsWorkerCommand.name, "--store", path] + episodes,
        codes: [1, 3])
    }
  }

  /// The commands beside a stopped process. All must end in time; reads must succeed.
  func neighbours() throws -> [Task] {
    let wanted = acknowledged.keys.min()
    // Beside the first opening there may be no store to read yet.
    let codes: Set<Int32> = verb == .open ? [3] : []
    func read(_ arguments: [String], finds: String? = nil) -> Task {
      Task(
        name: arguments[0], program: tools.command, arguments: tools.words(arguments, store: path), finds: finds,
        codes: codes)
    }
    var recall = try task(.recall)
    recall.codes = codes
    if verb == .open {
      // Before the first episode there is nothing to find.
      recall.finds = nil
      recall.codes.insert(1)
    }
    var check = try task(.check)
    check.codes = [3]
    let reads = [
      recall, read(["list", "--limit", "1000", "--json"], finds: wanted), read(["export"], finds: wanted),
      read(["stats"]),
    ]
    let show = wanted.map { read(["show", $0, "--json"], finds: $0) }
    return try reads + (show.map { [$0] } ?? []) + [task(.record), task(.import), check, task(.rebuild)]
  }

  /// Runs a command that prepares a strike.
  private func require(_ task: Task) throws {
    guard let complaint = try perform(task).first else { return }
    throw BenchError("\(task.name) does not work without a fault: \(complaint.how)")
  }

  private func write(_ episodes: [(id: String, word: String)], to file: String) throws {
    let lines = episodes.map { episode in
      """
      {"id":"\(episode.id)","task_type":"testing","domain":"faults","context":"imported by a benchmark",\
      "status":"completed","created_at":"2026-01-31T12:00:00Z","completed_at":"2026-01-31T12:00:01Z","metadata":{},\
      "steps":[{"step_number":1,"action":"true \(episode.word)","timestamp":"2026-01-31T12:00:00Z"}]}

      """
    }
    try Data(lines.joined().utf8).write(to: URL(filePath: file))
  }

  // MARK: Checks

  typealias Complaint = (what: FaultProblem.What, how: String)

  /// Checks a run by its exit code and output, and notes the writes it acknowledged.
  ///
  /// - Parameter isKilled: Whether this program killed it.
  func judge(_ task: Task, _ run: TracedProgram.Run, isKilled: Bool = false) -> [Complaint] {
    for line in run.output.split(separator: "\n") where task.program.executable == tools.worker.executable {
      let parts = line.split(separator: " ").last?.split(separator: "=").map(String.init) ?? []
      if line.hasPrefix("written "), parts.count == 2 { acknowledged[parts[0]] = parts[1] }
    }
    if let outcome = task.outcome, run.ending != .exited(0) { alternative = outcome }
    switch run.ending {
    case .late: return [(.hang, "\(task.name) had not ended after \(Int(run.seconds)) s")]
    case .killed(let signal):
      if isKilled, signal == SIGKILL { return [] }
      return [(.crash, "signal \(signal) ended \(task.name): \(run.complaint)")]
    case .exited(0):
      acknowledged.merge(task.promises) { _, new in new }
      if let outcome = task.outcome { replaceAcknowledged(with: outcome) }
      guard let wanted = task.finds, !run.output.contains("\"\(wanted)\"") else { return [] }
      return [(.answer, "\(task.name) exited with 0 and did not show \(wanted)")]
    case .exited(let code):
      if task.codes.contains(code) { return [] }
      return [(.code, "\(task.name) exited with \(code): \(run.complaint)\(run.output.prefix(200))")]
    }
  }

  private func replaceAcknowledged(with outcome: [String: String]) {
    if verb == .forget { forgotten += acknowledged.filter { outcome[$0.key] == nil }.values }
    (acknowledged, alternative) = (outcome, nil)
  }

  @discardableResult
  func perform(_ task: Task) throws -> [Complaint] {
    judge(task, try task.program.run(task.arguments, deadline: tools.deadline))
  }

  /// The problems of the store now: the next command must succeed, everything acknowledged must exist and be found, and the
  /// check must pass.
  func complaints() throws -> [Complaint] {
    let steps: [() throws -> [Complaint]] = [export, check, recall, record]
    // The first one, which meets what the strike left behind, alternates.
    turn += 1
    // Of two possible contents the export decides, before anything is looked for.
    let first = alternative == nil ? turn : 0
    let order = steps.indices.map { steps[($0 + first) % steps.count] }
    return try order.flatMap { step in try step() } + operations() + leftovers()
  }

  /// After the maintenance that a strike may have left to be done: every backup is whole, nothing unfinished lies beside it,
  /// and no file has what was forgotten.
  private func operations() throws -> [Complaint] {
    guard [.backup, .restore, .forget, .maintain].contains(verb) else { return [] }
    func run(_ arguments: [String]) throws -> [Complaint] {
      try perform(
        Task(name: arguments[0], program: tools.command, arguments: tools.words(arguments, store: path), codes: []))
    }
    var complaints = try run(["maintain", "--task", "erasures", "--task", "files"])
    let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    let partial = names.filter { $0.hasSuffix(".partial") }
    if !partial.isEmpty { complaints.append((.leftover, "\(partial.prefix(3).joined(separator: ", ")) stays behind")) }
    // To SQLite a read that fails is damage: then a restore has moved the old store aside with its log.
    let backups = names.filter {
      $0.hasPrefix("backups/") && $0.hasSuffix(".sqlite") && !names.contains("\($0)-wal")
    }
    if !backups.isEmpty { complaints += try run(["verify"] + backups.map { "\(path)/\($0)" }) }
    guard !forgotten.isEmpty else { return complaints }
    for name in names {
      // A child process has ended, and this one has no store open, so its files may be read (I5).
      guard let bytes = FileManager.default.contents(atPath: "\(path)/\(name)") else { continue }
      for word in forgotten where bytes.range(of: Data(word.utf8)) != nil {
        complaints.append((.leftover, "\(name) still has \(word), which was forgotten"))
      }
    }
    return complaints
  }

  private func record() throws -> [Complaint] {
    var task = try task(.record)
    task.codes = []
    return try perform(task)
  }

  private func recall() throws -> [Complaint] {
    guard let (id, word) = acknowledged.randomElement() else { return [] }
    let arguments = ["recall", "--everywhere", "--json", "--limit", "5", word]
    return try perform(
      Task(
        name: "recall", program: tools.command, arguments: tools.words(arguments, store: path), finds: id, codes: []))
  }

  private func check() throws -> [Complaint] {
    let run = try tools.command.run(tools.words(["check"], store: path), deadline: tools.deadline)
    if isMissing(run) { return [] }
    var complaints = judge(Task(name: "check", program: tools.command, arguments: [], codes: [1, 3]), run)
    for line in run.output.split(separator: "\n") where !line.hasPrefix("ok ") {
      // The error that was injected is what a task of maintenance is noted with.
      if line.hasPrefix("note "), line.contains(" of maintenance failed at ") { continue }
      complaints.append((.answer, "check says afterwards: \(line.prefix(300))"))
    }
    if complaints.isEmpty, run.ending != .exited(0) {
      complaints.append((.code, "check ended with \(run.ending) afterwards: \(run.complaint)"))
    }
    return complaints
  }

  private func export() throws -> [Complaint] {
    let run = try tools.command.run(tools.words(["export"], store: path), deadline: tools.deadline)
    if isMissing(run) { return [] }
    let complaints = judge(Task(name: "export", program: tools.command, arguments: [], codes: []), run)
    guard complaints.isEmpty else { return complaints }
    var steps: [String: [String]] = [:]
    for line in run.output.split(separator: "\n") {
      let episode = try JSONDecoder().decode(ExportedEpisode.self, from: Data(line.utf8))
      steps[episode.id] = episode.status == "completed" ? episode.steps.map(\.action) : []
    }
    let lost = acknowledged.filter { id, word in steps[id]?.contains { $0.hasSuffix("true \(word)") } != true }
    if let alternative {
      self.alternative = nil
      if !lost.isEmpty, lost.keys.allSatisfy({ alternative[$0] == nil }),
        lost.count == acknowledged.count - acknowledged.filter({ alternative[$0.key] != nil }).count
      {
        replaceAcknowledged(with: alternative)
        return []
      }
    }
    return lost.keys.sorted().map { (.lost, "\($0) was acknowledged and is missing") }
  }

  /// Whether it reports that there is no store, which is correct before anything was acknowledged.
  private func isMissing(_ run: TracedProgram.Run) -> Bool {
    verb == .open && acknowledged.isEmpty && run.ending == .exited(3) && run.complaint.contains("no store")
  }

  /// Temporary files of killed processes, which later processes must have removed.
  private func leftovers() throws -> [Complaint] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/tmp")
    guard !names.isEmpty else { return [] }
    return [(.leftover, "temporary files stay behind: \(names.sorted().prefix(3).joined(separator: ", "))")]
  }

  private struct ExportedEpisode: Decodable {
    struct Step: Decodable { let action: String }
    let id: String
    let status: String
    let steps: [Step]
  }
}
