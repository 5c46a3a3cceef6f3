#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// How much easier than others a task is, in log odds, as the *other* runs of it show.
///
/// The mode of the posterior by one step of Newton's method. The prior is normal; its variance is the covariance of two runs of
/// one task. A task without another run has 0.
struct TaskEase {
  /// Of each run.
  let values: [Double]
  /// Of the prior; 0 if no task was done twice, or runs of one are no more alike than others.
  let variance: Double

  private struct Sum {
    var residual = 0.0
    var squares = 0.0
    var weight = 0.0
    var squaredWeights = 0.0
  }

  init(_ table: CellTable) {
    var ofTask: [Sum] = .init(repeating: Sum(), count: table.tasks)
    let parts = table.runs.indices.map { run -> (residual: Double, weight: Double)? in
      guard table.runs[run].usableSteps > 0 else { return nil }
      let expected = table.groups[table.groupOfRun[run]].expected[0]
      return (table.outcome[run] - expected, expected * (1 - expected))
    }
    for (run, part) in parts.enumerated() {
      guard let part else { continue }
      let task = table.taskOfRun[run]
      ofTask[task].residual += part.residual
      ofTask[task].squares += part.residual * part.residual
      ofTask[task].weight += part.weight
      ofTask[task].squaredWeights += part.weight * part.weight
    }
    var (products, weights) = (0.0, 0.0)
    for task in ofTask {
      products += task.residual * task.residual - task.squares
      weights += task.weight * task.weight - task.squaredWeights
    }
    let variance = weights > 1e-9 ? max(0, products / weights) : 0
    self.variance = variance
    values = parts.enumerated().map { run, part in
      guard variance > 0, let part else { return 0 }
      let task = ofTask[table.taskOfRun[run]]
      return (task.residual - part.residual) / (task.weight - part.weight + 1 / variance)
    }
  }

  /// Of each cell: the outcome minus what is expected of the agent in the domain at the step, corrected for the task. Those of a
  /// stratum add up to nothing.
  func residuals(_ table: CellTable) -> [Double] {
    var residuals: [Double] = .init(repeating: 0, count: table.runOfCell.count)
    for group in table.groups {
      // Longest first, so that those still going are in front.
      let runs = group.runs.sorted { a, b in
        let (x, y) = (table.runs[a].usableSteps, table.runs[b].usableSteps)
        return x != y ? x > y : a < b
      }
      var count = runs.count
      for step in group.expected.indices {
        while count > 0, table.runs[runs[count - 1]].usableSteps <= step { count -= 1 }
        let going = runs[..<count]
        let mean = going.reduce(0) { $0 + values[$1] } / Double(count)
        let expected = min(1 - 1e-6, max(1e-6, group.expected[step]))
        let odds = log(expected / (1 - expected))
        var sum = 0.0
        for run in going {
          let residual = table.outcome[run] - 1 / (1 + exp(mean - odds - values[run]))
          residuals[table.firstCell[run] + step] = residual
          sum += residual
        }
        for run in going { residuals[table.firstCell[run] + step] -= sum / Double(count) }
      }
    }
    return residuals
  }
}
