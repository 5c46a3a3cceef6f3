import CRawSQLite
import Episodic
import Foundation

/// Imports a large file and rebuilds, and watches how much memory that takes.
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
