extension Simulator {
  /// Tries every schedule, breadth first, and each state once.
  struct Explorer {
    /// What was found.
    struct Findings {
      var states = 0
      /// Distinct orders of steps from the beginning to where nothing is left to do.
      var schedules: UInt128 = 0
      var violation: Violation?
      /// The shortest schedule that ends in the violation.
      var schedule = ""
    }

    private let model: ProtocolModel
    private var states: [State] = []
    private var indices: [State: Int32] = [:]
    /// By state: the one it was first reached from.
    private var origins: [Int32] = []
    /// The states that follow each state, one after the other, and where those of each begin.
    private var targets: [Int32] = []
    private var firstTarget: [Int] = []

    private init(_ model: ProtocolModel) {
      self.model = model
      _ = index(of: model.initial, from: 0)
    }

    static func explore(_ scenario: Scenario, without removed: [Guard] = []) -> Findings {
      var explorer = Explorer(ProtocolModel(scenario, without: removed))
      return explorer.run()
    }

    private mutating func run() -> Findings {
      var findings = Findings()
      var next = 0
      while next < states.count {
        let state = states[next]
        if let violation = state.violation {
          findings.violation = violation
          findings.schedule = schedule(to: next)
          findings.states = states.count
          return findings
        }
        firstTarget.append(targets.count)
        for action in model.actions(in: state) {
          targets.append(index(of: model.state(after: action, in: state), from: next))
        }
        next += 1
      }
      firstTarget.append(targets.count)
      findings.states = states.count
      findings.schedules = countSchedules()
      return findings
    }

    private mutating func index(of state: State, from origin: Int) -> Int32 {
      let new = Int32(states.count)
      let index = indices[state, default: new]
      if index == new {
        indices[state] = new
        states.append(state)
        origins.append(Int32(origin))
      }
      return index
    }

    private func schedule(to end: Int) -> String {
      var schedule: [String] = []
      var index = end
      while index != 0 {
        let origin = states[Int(origins[index])]
        let action = model.actions(in: origin).first { model.state(after: $0, in: origin) == states[index] }
        if let action { schedule.append(model.describe(action, in: origin)) }
        index = Int(origins[index])
      }
      return schedule.reversed().joined(separator: ", ")
    }

    /// Paths through the graph of states, which has no cycles: each state hands its paths on after all have come in.
    private func countSchedules() -> UInt128 {
      var incoming = [Int32](repeating: 0, count: states.count)
      for target in targets { incoming[Int(target)] += 1 }
      var paths = [UInt128](repeating: 0, count: states.count)
      paths[0] = 1
      var ready = [0]
      var counted = 0
      var schedules: UInt128 = 0
      while let index = ready.popLast() {
        counted += 1
        let targets = targets[firstTarget[index]..<firstTarget[index + 1]]
        if targets.isEmpty { schedules += paths[index] }
        for target in targets {
          paths[Int(target)] += paths[index]
          incoming[Int(target)] -= 1
          if incoming[Int(target)] == 0 { ready.append(Int(target)) }
        }
      }
      precondition(counted == states.count, "a schedule can go in circles")
      return schedules
    }
  }
}
