import FileLocks
package import EpisodicMemory

/// Imports episodes into a memory: all lines or none, unless `ImportOptions.keepGoing`.
///
/// Opens its files, and can check them, before a store exists.
package struct Importer: Sendable {
  /// A transaction ends after this many episodes or bytes of lines, whichever comes first: enough to amortise a commit,
  /// few enough that other writers wait only milliseconds.
  private static let batchEpisodes = 256
  private static let batchBytes = 4 << 20

  private typealias Line = (entry: EpisodeStream.Entry, content: EpisodeStream.Content)

  private let limits: Memory.Limits
  private let inputs: [OpenInput]
  private let vectors: (file: VectorFile, space: EmbeddingSpace)?
  private let options: ImportOptions
  private let now: Timestamp

  private var report = ImportReport()
  private var batch: [Line] = []
  private var batchedBytes = 0
  /// Whether the store may contain an id of the files already.
  private var mayExist = true
  private var isChecked = false

  /// - Throws: `.invalid` if a file cannot be read, or the options contradict each other.
  package init(
    files: [InputFile], vectors source: VectorSource?, options: ImportOptions, limits: Memory.Limits = Memory.Limits(),
    clock: any WallClock = SystemClock()
  ) throws(MemoryError) {
    guard !files.isEmpty else { throw MemoryError(.invalid, "no file to import; name one, or - for standard input") }
    let fromStandardInput = files.count { $0 == .standardInput } + (source?.file == .standardInput ? 1 : 0)
    guard options.maximumLineBytes > 0 else {
      throw MemoryError(.invalid, "maximumLineBytes is \(options.maximumLineBytes); a line has at least one byte")
    }
    guard fromStandardInput < 2 else {
      throw MemoryError(.invalid, "standard input is named \(fromStandardInput) times; it can be read once")
    }
    if let source {
      guard let space = source.space else {
        throw MemoryError(.invalid, "the vectors of \(source.file) have no model; name the one that made them")
      }
      try Validation(limits: limits).name(space.model, "model")
      vectors = (try VectorFile(source, limits: limits), space)
    } else {
      vectors = nil
    }
    var inputs: [OpenInput] = []
    for file in files { inputs.append(try OpenInput(file)) }
    self.inputs = inputs
    self.limits = limits
    self.options = options
    now = clock.now()
  }

  /// Checks everything that can be checked without a store, so that a rejected import does not create one.
  ///
  /// - Throws: As `run(into:_:)`.
  package mutating func check(_ progress: (ImportProgress) -> Void) async throws(MemoryError) {
    try await requireRows()
    if !options.keepGoing { try await checkEverything(nil, progress) }
    isChecked = true
  }

  package mutating func run(
    into memory: Memory, _ progress: (ImportProgress) -> Void
  ) async throws(MemoryError) -> ImportReport {
    if let vectors { try await require(vectors.space, in: memory) }
    if !isChecked { try await requireRows() }
    mayExist = try await !memory.episodes(in: .everything, limit: 1).elements.isEmpty
    if !options.keepGoing, !isChecked || mayExist { try await checkEverything(memory, progress) }
    try await store(in: memory, progress)
    return report
  }

  // MARK: Checking

  /// Requires one row of vectors for every line.
  private func requireRows() async throws(MemoryError) {
    guard let file = vectors?.file else { return }
    let (inputs, options) = (inputs, options)
    try await BlockingWork.shared.run { () throws(MemoryError) in
      try file.require(rows: try EpisodeStream.countLines(inputs, options), for: "episodes")
    }
  }

  /// A model has vectors of one length (I6): checked once here instead of for every line.
  private func require(_ space: EmbeddingSpace, in memory: Memory) async throws(MemoryError) {
    let spaces = try await memory.embeddingSpaces()
    guard let other = spaces.first(where: { $0.model == space.model && $0.dimensions != space.dimensions }) else {
      return
    }
    throw MemoryError(
      .dimensionMismatch,
      "the store's vectors of the model \"\(space.model)\" have \(other.dimensions) numbers, these "
        + "\(space.dimensions); embed with that model or name another")
  }

  /// Reads and checks every line.
  ///
  /// - Parameter memory: The store that must not contain the ids yet; `nil` if there is no store yet.
  private func checkEverything(
    _ memory: Memory?, _ progress: (ImportProgress) -> Void
  ) async throws(MemoryError) {
    var rejected: [RejectedLine] = []
    guard let reader = reader() else { return }
    var isEverythingSeen = false
    reading: while !isEverythingSeen {
      let portion = try await reader.next()
      for entry in portion.entries {
        do throws(MemoryError) {
          let id = try entry.content.get().episode.id
          if let memory, options.existing == .fail, mayExist, try await memory.contains(id) {
            throw MemoryError(.conflict, "id \"\(id)\" is in the store already; skip or replace existing episodes")
          }
        } catch let error where error.code.isOfInput || error.code == .conflict {
          rejected.append(entry.rejected(error))
          // The rest may be an endless pipe, and none of it will be stored.
          if entry.isCutOff || rejected.count >= RejectedLines.maximumCount { break reading }
        }
      }
      isEverythingSeen = portion.isLast
      if !isEverythingSeen { report(.checking, portion, to: progress) }
    }
    guard let first = rejected.first else { return }
    let others = rejected.count - 1
    let more = others == 0 ? "" : ", as \(others) more lines\(isEverythingSeen ? "" : " at least") are bad"
    throw MemoryError(.invalid, "\(first); nothing was imported\(more)", cause: RejectedLines(lines: rejected))
  }

  // MARK: Storing

  private mutating func store(
    in memory: Memory, _ progress: (ImportProgress) -> Void
  ) async throws(MemoryError) {
    guard let reader = reader() else { return }
    var portion = EpisodeReader.Portion()
    while !portion.isLast {
      portion = try await reader.next()
      for entry in portion.entries {
        do throws(MemoryError) {
          batch.append((entry, try entry.content.get()))
          batchedBytes += entry.bytes
        } catch {
          try reject(entry, error)
        }
        if batch.count >= Self.batchEpisodes || batchedBytes >= Self.batchBytes { try await storeBatch(in: memory) }
      }
      if !portion.isLast { report(.storing, portion, to: progress) }
    }
    try await storeBatch(in: memory)
    report(.storing, portion, to: progress)
    // A batch is rejected after later lines were parsed; the report is in the order of the files.
    let order = Dictionary(inputs.enumerated().map { ($1.name, $0) }) { first, _ in first }
    report.rejected.sort { (order[$0.file] ?? 0, $0.line) < (order[$1.file] ?? 0, $1.line) }
  }

  private mutating func storeBatch(in memory: Memory) async throws(MemoryError) {
    let all = batch
    batch = []
    batchedBytes = 0
    guard !all.isEmpty else { return }
    do throws(MemoryError) {
      try await insert(all, in: memory)
    } catch let error where options.keepGoing && Self.isOfALine(error) {
      // One line makes the whole batch fail: store each alone to find it.
      for line in all {
        do throws(MemoryError) {
          try await insert([line], in: memory)
        } catch let error where Self.isOfALine(error) {
          try reject(line.entry, error)
        }
      }
    } catch {
      throw MemoryError(
        error.code,
        "\(error.message); \(report.imported) episodes were imported before that, so repeat the import and skip "
          + "existing episodes", cause: error)
    }
  }

  private mutating func insert(_ lines: [Line], in memory: Memory) async throws(MemoryError) {
    let model = vectors?.space.model ?? ""
    let embeddings = lines.compactMap { _, content in
      content.vector.map {
        Embedding.Draft(of: content.episode.id, content: content.episode.context, vector: $0, model: model)
      }
    }
    let inserted = try await memory.insert(
      lines.map { options.sourced($0.content.episode) }, embeddings: embeddings, existing: options.existing)
    report.imported += inserted.episodes
    report.skipped += lines.count - inserted.episodes
    report.steps += inserted.steps
    report.vectors += inserted.vectors
    report.keptVectors += inserted.keptVectors
    report.droppedVectors += inserted.droppedVectors
    // Includes skipped lines: the report is about the file.
    for (_, content) in lines where content.repairs > 0 {
      report.repairedCharacters += content.repairs
      report.repairedLines += 1
    }
  }

  /// Whether an error concerns one line and not the store.
  private static func isOfALine(_ error: MemoryError) -> Bool {
    error.code.isOfInput || [.conflict, .dimensionMismatch].contains(error.code)
  }

  private mutating func reject(_ entry: EpisodeStream.Entry, _ error: MemoryError) throws(MemoryError) {
    guard Self.isOfALine(error) else { throw error }
    guard options.keepGoing else {
      throw MemoryError(
        error.code,
        "\(entry.rejected(error)); the file changed during the import, \(report.imported) episodes are stored",
        cause: error)
    }
    report.rejected.append(entry.rejected(error))
  }

  // MARK: Details

  private func reader() -> EpisodeReader? {
    EpisodeStream(inputs, vectors: vectors?.file, options: options, limits: limits, now: now)
      .map(EpisodeReader.init)
  }

  /// Size of all files; 0 until every pipe among them has ended.
  private var bytes: Int64 {
    let sizes = inputs.compactMap(\.size)
    return sizes.count == inputs.count ? sizes.reduce(0, +) : 0
  }

  private func report(
    _ stage: ImportProgress.Stage, _ portion: EpisodeReader.Portion, to progress: (ImportProgress) -> Void
  ) {
    progress(ImportProgress(stage: stage, bytes: bytes, bytesDone: portion.bytesRead, lines: portion.lines))
  }
}
