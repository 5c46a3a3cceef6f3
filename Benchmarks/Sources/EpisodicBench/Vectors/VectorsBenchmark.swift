import CRawSQLite
import Episodic

/// Builds an index over rows through the library, and runs the same queries by it, hnswlib and the exact scan.
struct VectorsBenchmark {
  /// Rows from which the targets for 1,000,000 rows apply.
  static let largeSet = 500_000
  static let openings = 5

  let options: VectorsOptions
  let scratch: ScratchDirectory
  let base: FloatRows
  let queries: FloatRows
  let population: VectorPopulation
  let scan: ExactScan
  let truth: TruthFile
  let unitQueries: [[Float]]
  let progress = Progress()

  init(_ options: VectorsOptions, scratch: ScratchDirectory) throws {
    self.options = options
    self.scratch = scratch
    base = try FloatRows(path: options.base, dimensions: options.dimensions)
    queries = try FloatRows(path: options.queries, dimensions: options.dimensions)
    population = VectorPopulation(rows: base.count, dimensions: options.dimensions)
    scan = ExactScan(base: base)
    truth = try TruthFile(path: options.truth, k: options.k, queries: queries.count, base: base.count)
    unitQueries = (0..<queries.count).map { [queries] in queries.unit($0) }
  }

  var isLarge: Bool { base.count >= Self.largeSet }

  /// On the global executor, so that no hop from the main thread is measured.
  @concurrent
  func run() async throws -> Report {
    let probe = try SyncProbe(in: scratch)
    for _ in 0..<32 { try probe.sample() }
    var report = Report(
      benchmark: "vectors",
      parameters: [
        "rows": base.count, "queries": queries.count, "dimensions": options.dimensions, "k": options.k,
        "repeats": options.repeats, "batch": options.batch,
      ], machine: Machine(durability: VectorStore.options.durability.rawValue, sync: probe.series))
    let store = try await VectorStore(
      in: options.store ?? scratch.path(of: "store"), population, base: base, batch: options.batch, progress: progress)
    let memory = try await store.open()
    if !store.isNew { try await deleteAdditions(memory) }
    reportMaking(store, &report)
    let graph = try graph(&report)
    try await reportSizes(memory, &report)
    let unfiltered = try await search(memory, graph?.graph, &report)
    try await filtered(memory, unfiltered: unfiltered, &report)
    try await rebuild(memory, graph, &report)
    try await memory.close()
    try open(store, &report)
    try await insertOneByOne(store, &report)
    progress.clear()
    return report
  }

  // MARK: Building

  private func reportMaking(_ store: VectorStore, _ report: inout Report) {
    let making = store.making
    let rows = Double(making.rows)
    report.figures += [
      Figure("episodes inserted", rows / making.episodeSeconds, "/s"),
      Figure("vectors inserted, primary and index", rows / making.vectorSeconds, "/s"),
      Figure("time to insert the episodes", making.episodeSeconds, "s"),
      Figure("time to insert the vectors", making.vectorSeconds, "s"),
    ]
    report.ratios.append(
      Ratio(
        "vectors inserted a second", section: "build", rows, over: making.vectorSeconds, target: .atLeast(20_000)))
    if !store.isNew {
      report.notes.append(
        "the store was kept: its rates, in batches of \(making.batch), are of the run that filled it, and its index was rebuilt since"
      )
    }
  }

  /// Rebuilds everything derived, and queries the result.
  private func rebuild(_ memory: Memory, _ graph: PreparedGraph?, _ report: inout Report) async throws {
    progress.show("rebuilding the indexes", 0, of: 1)
    let clock = StageClock()
    try await memory.rebuild { clock.note($0) }
    report.figures += clock.figures
    let seconds = clock.seconds(of: "vectors")
    if let graph { reportBuilds(graph, seconds, &report) }
    guard seconds != nil else {
      report.failure = report.failure ?? "a rebuild had no stage called vectors, so there is no time of the index alone"
      return
    }
    try await searchAgain(memory, &report)
    let index = try await memory.statistics().index
    report.figures.append(
      Figure("index after a rebuild, per vector", Double(index.vectorBytes) / Double(max(1, index.vectors)), "bytes"))
  }

  private func graph(_ report: inout Report) throws -> PreparedGraph? {
    guard options.hasNeighbours else { return nil }
    guard NeighbourGraph.isAvailable else {
      report.notes.append(
        "hnswlib was missing when this was built (Debian: libhnswlib-dev), so there is no comparison with it")
      return nil
    }
    return try PreparedGraph(base, path: options.neighbours ?? scratch.path(of: "hnswlib"), progress: progress)
  }

  private func reportBuilds(_ graph: PreparedGraph, _ indexSeconds: Double?, _ report: inout Report) {
    if let seconds = graph.buildSeconds {
      report.figures.append(Figure("hnswlib's index, one thread", seconds, "s"))
      if let indexSeconds {
        report.ratios.append(
          Ratio("hnswlib's build / index alone", section: "build", seconds, over: indexSeconds, target: .atLeast(50)))
      }
      if !graph.isNew { report.notes.append("hnswlib's index was kept; its build time is of the run that built it") }
    } else {
      report.notes.append("the time to build the kept index of hnswlib is unknown")
    }
    report.figures += [
      Figure("hnswlib loads its file", graph.loadSeconds * 1000, "ms"),
      Figure("hnswlib's file, per vector", Double(graph.bytes) / Double(base.count), "bytes"),
    ]
  }

  private func reportSizes(_ memory: Memory, _ report: inout Report) async throws {
    let statistics = try await memory.statistics()
    let index = statistics.index
    if let reason = index.unavailable {
      report.failure = "there is no index (\(reason)), so no figure measures one"
    } else if index.vectors != base.count {
      report.failure = "the index reports \(index.vectors) vectors of \(base.count)"
    }
    let rows = Double(max(1, index.vectors))
    report.figures += [
      Figure("float32 rows, per vector", Double(4 * options.dimensions), "bytes"),
      Figure("index, per vector", Double(index.vectorBytes) / rows, "bytes"),
      Figure("file of the indexes, per vector", Double(index.fileBytes) / rows, "bytes"),
      Figure("primary, per vector", Double(statistics.primary.bytes) / Double(base.count), "bytes"),
    ]
    report.ratios.append(
      Ratio(
        "index bytes a vector beyond float32", section: "size", Double(index.vectorBytes), over: rows,
        target: options.dimensions == 384 ? .atMost(520) : nil))
  }
}

/// The options of `bench vectors`.
struct VectorsOptions {
  let base: String
  let queries: String
  let truth: String
  let dimensions: Int
  let k: Int
  let repeats: Int
  let batch: Int
  /// A store to keep and reuse; `nil` for one that is removed after the run.
  let store: String?
  /// Whether to measure hnswlib, and the file of its index to keep and reuse.
  let hasNeighbours: Bool
  let neighbours: String?
}
