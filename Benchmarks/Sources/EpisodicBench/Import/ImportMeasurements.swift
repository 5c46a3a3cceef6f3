import Foundation

/// What an import and a rebuild took.
struct ImportMeasurements: BenchReport {
  struct Stage: Encodable {
    let name: String
    let seconds: Double
    let stepsPerSecond: Double
    /// Resident, at most.
    let peakMiB: Double
    /// Of the samples, at most each: they need not have been at one moment.
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
