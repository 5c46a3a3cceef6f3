extension Simulator {
  /// What may happen next, whatever has happened so far.
  struct ProtocolModel {
    enum Action {
      case step(Int)
      case kill(process: Int)
      case reopen(restored: UInt8, commit: Bool, header: UInt8)
    }

    let scenario: Scenario
    let guards: Guards
    private let processes: [Int]

    init(_ scenario: Scenario, without removed: [Guard] = []) {
      self.scenario = scenario
      guards = Guards(without: removed)
      processes = Set(scenario.actors.map(\.process)).filter { $0 >= 0 }.sorted()
    }

    var initial: State { State(scenario) }

    /// No action can be undone, so that every schedule ends.
    func actions(in state: State) -> [Action] {
      var actions: [Action] = []
      var isQuiet = true
      for index in scenario.actors.indices where isRunning(index, in: state) {
        isQuiet = false
        if state.progress[index].step != .wait { actions.append(.step(index)) }
      }
      if state.killsLeft > 0 {
        for process in processes where isRunning(process: process, in: state) {
          actions.append(.kill(process: process))
        }
      }
      if scenario.isReopened, state.life == 0, isQuiet { appendReopenings(of: state, to: &actions) }
      return actions
    }

    func state(after action: Action, in state: State) -> State {
      var state = state
      switch action {
      case .step(let index): Turn(scenario: scenario, guards: guards, index: index).take(in: &state)
      case .kill(let process):
        state.killsLeft -= 1
        state.setVerified(process, false)
        for index in scenario.actors.indices
        where scenario.actors[index].process == process && scenario.actors[index].life == state.life {
          state.progress[index] = .finished
        }
      case .reopen(let restored, let commit, let header):
        state.life = 1
        state.verified = 0
        state.history.truncate(to: restored)
        if commit { state.commit(to: .a) }
        state.header = header
      }
      return state
    }

    /// What an action is to somebody who reads a schedule.
    func describe(_ action: Action, in state: State) -> String {
      switch action {
      case .step(let index):
        let name = scenario.actors[index].name
        let progress = state.progress[index]
        switch scenario.actors[index].program[Int(progress.operation)] {
        case .commit(let key): return "\(name) commits \(key)"
        case .lose: return name
        case .restore(let revision): return "\(name) restores \(revision)"
        case .read(let subject) where progress.step == .begin: return "\(name) begins \(subject)"
        case .read, .catchUp: return "\(name) \(progress.step)"
        }
      case .kill(let process): return "kill \(process)"
      case .reopen(let restored, let commit, _):
        let restoring = restored < state.history.count ? ", restore \(restored)" : ""
        return "close all" + restoring + (commit ? ", shell commits a" : "") + ", reopen"
      }
    }

    private func isRunning(_ index: Int, in state: State) -> Bool {
      scenario.actors[index].life == state.life && state.progress[index].step != .done
    }

    private func isRunning(process: Int, in state: State) -> Bool {
      for index in scenario.actors.indices
      where scenario.actors[index].process == process && isRunning(index, in: state) { return true }
      return false
    }

    /// The log may begin anew, so its header may come out as any that it has had.
    private func appendReopenings(of state: State, to actions: inout [Action]) {
      for restored in 0...state.history.count {
        for commit in [false, true] {
          for header in 0...state.header {
            actions.append(.reopen(restored: restored, commit: commit, header: header))
          }
        }
      }
    }
  }
}
