import ArgumentParser
import CRawSQLite
import Episodic
import Foundation

/// Imports a large file, rebuilds, and measures time and memory of both.
struct ImportBenchmark {
  let steps: Int
  let limitMiB: Int
  let seed: UInt64
  let scratch: ScratchDirectory

  func run() async throws -> ImportMeasurements {
    let progress = Progress()
    defer { progress.clear() }
    let file = scratch.path(of: "episodes.jsonl")
    let bytes = try MixedEpisodes(seed: seed).write(steps: steps, to: file) { progress.show("writing", $0, of: steps) }

    let memory = try await Memory.open(at: scratch.path(of: "store"))
    var stages: [ImportMeasurements.Stage] = []
    var imported = 0
    stages.append(
      try await watched("import") {
        imported = try await memory.importEpisodes(from: [.file(file)]) { step in
          progress.show(step.stage.rawValue, Int(step.bytesDone), of: Int(step.bytes))
        }.steps
      })
    stages.append(
      try await watched("rebuild") {
        try await memory.rebuild { step in progress.show(step.stage, step.done, of: step.total ?? 0) }
      })
    guard imported == steps else { throw BenchError("\(imported) steps were imported, not \(steps)") }
    let statistics = try await memory.statistics()
    try await memory.close()
    return ImportMeasurements(
      steps: steps, fileBytes: bytes, primaryBytes: Int(statistics.primary.bytes),
      indexBytes: Int(statistics.index.fileBytes), limitMiB: limitMiB, stages: stages)
  }

  private func watched(_ name: String, _ work: () async throws -> Void) async throws -> ImportMeasurements.Stage {
    let watch = try ResidentMemory()
    let start = raw_now()
    try await work()
    let seconds = Double(raw_now() - start) / 1e9
    let peak = try watch.finish()
    return ImportMeasurements.Stage(
      name: name, seconds: seconds, stepsPerSecond: Double(steps) / seconds, peakMiB: peak.resident,
      allocatedMiB: peak.allocated, mappedMiB: peak.mapped)
  }
}

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Memory and time of an import of many steps of mixed sizes, and of a rebuild.",
    discussion: """
      Writes a file of episodes, about 20 steps each: of the steps 90 % have 50 to 500 bytes, 1 in 1,000 has 20 to 200 KB, \
      and the rest up to 8 KB. Imports it as the command line does, then rebuilds everything derived. Resident memory is \
      the kernel's peak (VmHWM), reset for each of the two; its parts are sampled: memory the process has allocated \
      (RssAnon), and pages of mapped files (RssFile), which the system reclaims under pressure.

      Target: 1,000,000 steps and a rebuild within 400 MiB resident.

      EXAMPLE
        bench import --steps 1000000
      """)

  @Option(help: "Steps over all episodes.")
  var steps: Int

  @Option(help: "The maximum of resident memory of import and rebuild, in MiB.")
  var limit = 400

  @OptionGroup var common: CommonOptions

  func validate() throws {
    try CommonOptions.validate(counts: [("--steps", steps), ("--limit", limit)])
  }

  func run() async throws {
    try await common.report { scratch in
      try await ImportBenchmark(steps: steps, limitMiB: limit, seed: common.seed, scratch: scratch).run()
    }
  }
}

/// Time and memory of an import and a rebuild.
struct ImportMeasurements: BenchReport {
  struct Stage: Encodable {
    let name: String
    let seconds: Double
    let stepsPerSecond: Double
    /// Peak resident memory.
    let peakMiB: Double
    /// The maximum of each over the samples, not necessarily of one sample.
    let allocatedMiB: Double
    let mappedMiB: Double
  }

  let steps: Int
  let fileBytes: Int
  let primaryBytes: Int
  let indexBytes: Int
  let limitMiB: Int
  let stages: [Stage]

  var text: String {
    var table = TextTable(["", "s", "steps/s", "peak MiB", "allocated MiB", "mapped MiB"])
    for stage in stages {
      table.add(
        [stage.name]
          + [stage.seconds, stage.stepsPerSecond, stage.peakMiB, stage.allocatedMiB, stage.mappedMiB].map {
            Int($0.rounded()).grouped
          })
    }
    return """
      bench import: steps \(steps.grouped); file \((fileBytes >> 20).grouped) MiB, primary \
      \((primaryBytes >> 20).grouped) MiB, index \((indexBytes >> 20).grouped) MiB

      \(table.text)
      """
  }

  var failure: String? {
    guard let stage = stages.first(where: { $0.peakMiB > Double(limitMiB) }) else { return nil }
    return "\(stage.name) took \(Int(stage.peakMiB.rounded())) MiB resident, more than the \(limitMiB) asked"
  }
}
