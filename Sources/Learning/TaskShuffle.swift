/// Swaps the futures of whole tasks inside a domain: the null hypothesis that what a run did says nothing about its outcome.
///
/// A permutation of a domain's tasks says whose outcome a run takes: that of the run by the same agent, with the same place
/// among the agent's runs of the task, of the next task on the cycle that has such a run still going at that step. So at each
/// step outcomes are permuted among exactly the runs of one agent that were at risk, every such permutation is as likely as any
/// other, and runs that are alike because their task is stay together.
struct TaskShuffle {
  /// Runs of one agent and domain that have the same place in their task; shortest first.
  private struct Layer {
    var steps: Int
    var runs: [Int]
  }

  private let table: CellTable
  private let layersOfDomain: [[Layer]]
  private var position: [Int]
  private var cycle: [Int]
  private var next: [Int]
  private var previous: [Int]

  init(_ table: CellTable) {
    self.table = table
    var layers: [[Layer]] = .init(repeating: [], count: table.tasksOfDomain.count)
    for group in table.groups {
      var places: [[Int]] = []
      var place = 0
      for run in group.runs {
        place = run > group.runs.lowerBound && table.taskOfRun[run] == table.taskOfRun[run - 1] ? place + 1 : 0
        if place == places.count { places.append([]) }
        places[place].append(run)
      }
      layers[group.domain] += places.map { runs in
        Layer(
          steps: group.expected.count,
          runs: runs.sorted { a, b in
            let (x, y) = (table.runs[a].usableSteps, table.runs[b].usableSteps)
            return x != y ? x < y : a < b
          })
      }
    }
    layersOfDomain = layers
    position = .init(repeating: 0, count: table.tasks)
    cycle = position
    next = .init(repeating: 0, count: table.runs.count)
    previous = next
  }

  /// Writes, for each cell, the residual of the cell whose outcome it takes.
  mutating func shuffle(_ observed: [Double], into residuals: inout [Double], _ random: inout SplitMix64) {
    for (domain, tasks) in table.tasksOfDomain.enumerated() {
      permute(tasks, &random)
      for layer in layersOfDomain[domain] { shuffle(layer, observed, into: &residuals) }
    }
  }

  /// A uniform permutation of the tasks as cycles: a uniform order, cut before each task that is the smallest so far (Foata).
  private mutating func permute(_ tasks: Range<Int>, _ random: inout SplitMix64) {
    var order = Array(tasks)
    for index in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(index, random.below(index + 1)) }
    var smallest = Int.max
    var cycles = -1
    for (index, task) in order.enumerated() {
      if task < smallest {
        smallest = task
        cycles += 1
      }
      position[task] = index
      cycle[task] = cycles
    }
  }

  private mutating func shuffle(_ layer: Layer, _ observed: [Double], into residuals: inout [Double]) {
    link(layer.runs.sorted { position[table.taskOfRun[$0]] < position[table.taskOfRun[$1]] })
    // A run leaves its cycle after its last usable step.
    var left = 0
    for step in 0..<layer.steps {
      while left < layer.runs.count, table.runs[layer.runs[left]].usableSteps <= step {
        let run = layer.runs[left]
        next[previous[run]] = next[run]
        previous[next[run]] = previous[run]
        left += 1
      }
      guard left < layer.runs.count else { return }
      for run in layer.runs[left...] {
        residuals[table.firstCell[run] + step] = observed[table.firstCell[next[run]] + step]
      }
    }
  }

  /// - Parameter runs: In the order of their tasks.
  private mutating func link(_ runs: [Int]) {
    var start = 0
    while start < runs.count {
      let number = cycle[table.taskOfRun[runs[start]]]
      var end = start + 1
      while end < runs.count, cycle[table.taskOfRun[runs[end]]] == number { end += 1 }
      for index in start..<end {
        let following = runs[index + 1 == end ? start : index + 1]
        next[runs[index]] = following
        previous[following] = runs[index]
      }
      start = end
    }
  }
}
