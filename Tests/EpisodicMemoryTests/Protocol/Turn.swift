extension Simulator {
  /// One actor's next step.
  struct Turn {
    let scenario: Scenario
    let guards: Guards
    let index: Int

    private var actor: Actor { scenario.actors[index] }

    func take(in state: inout State) {
      let operation = actor.program[Int(state.progress[index].operation)]
      let subject: Subject? = if case .read(let subject) = operation { subject } else { nil }
      switch state.progress[index].step {
      case .begin: begin(operation, in: &state)
      case .lookUpEarly: lookUpEarly(subject, in: &state)
      case .lookUp: lookUp(subject, in: &state)
      case .readWatermark:
        state.progress[index].asked = state.cache.watermark
        state.progress[index].step = .readFeed
      case .readFeed: readFeed(in: &state)
      case .readHeaderLate:
        state.progress[index].header = state.header
        state.progress[index].step = .apply
      case .apply: apply(isRead: subject != nil, in: &state)
      case .dropLate:
        drop(in: &state)
        finishBatch(isRead: subject != nil, in: &state)
      case .load: load(subject, in: &state)
      case .loadPlainly: finish(index, in: &state)
      case .fill: fill(subject, in: &state)
      case .wait, .done: preconditionFailure("has no next step")
      }
    }

    // MARK: Asking the cache

    private func begin(_ operation: Actor.Operation, in state: inout State) {
      switch operation {
      case .commit(let key):
        state.commit(to: key)
        return finish(index, in: &state)
      case .lose:
        state.cache = CacheModel()
        return finish(index, in: &state)
      case .restore(let revision):
        state.restore(revision)
        return finish(index, in: &state)
      case .read, .catchUp: break
      }
      state.progress[index].header = state.header
      if case .read = operation, !state.progress[index].isUnderWay {
        state.progress[index].isUnderWay = true
        state.progress[index].began = state.history.count
      }
      look(in: &state)
    }

    private func look(in state: inout State) {
      state.progress[index].step = guards.stands(.headerAndEntryAreOfOneSnapshot) ? .lookUp : .lookUpEarly
    }

    private func lookUpEarly(_ subject: Subject?, in state: inout State) {
      if let subject, let entry = state.cache.currentEntry(for: subject, guards) {
        state.progress[index].answer = entry.answer
        state.progress[index].asOf = .beginning
      }
      state.progress[index].step = .lookUp
    }

    private func lookUp(_ subject: Subject?, in state: inout State) {
      let isVerified = state.hasVerified(actor.process) || !guards.stands(.verifiedSinceOpening)
      let isEqual = state.cache.header == state.progress[index].header || !guards.stands(.headerIsCompared)
      let early = state.progress[index].asOf == .none ? nil : state.progress[index].answer
      state.progress[index].answer = Answer()
      state.progress[index].asOf = .none
      guard isVerified && isEqual else {
        // The other process that has moved the cache on may have been told of a commit that this one has not seen.
        if isVerified, state.header != state.progress[index].header { return beginAgain(in: &state) }
        return catchUp(isRead: subject != nil, in: &state)
      }
      guard let subject else { return finish(index, in: &state) }
      let entry = state.cache.currentEntry(for: subject, guards)?.answer
      if let answer = guards.stands(.headerAndEntryAreOfOneSnapshot) ? entry : early {
        self.answer(index, with: answer, to: subject, in: &state)
      } else {
        miss(subject, in: &state)
      }
    }

    // MARK: Catching up

    private func catchUp(isRead: Bool, in state: inout State) {
      if state.progress[index].tries < scenario.maximumTries {
        state.progress[index].tries += 1
        state.progress[index].step = .readWatermark
      } else if isRead {
        state.progress[index] = restarted(at: .loadPlainly, in: state)
      } else {
        finish(index, in: &state)
      }
    }

    private func readFeed(in state: inout State) {
      var progress = state.progress[index]
      let (asked, history) = (progress.asked, state.history)
      progress.continues =
        asked != .none && asked.revision <= history.count
        && (history.watermark(at: asked.revision) == asked || !guards.stands(.nonceIsCompared))
      var end = history.count
      if progress.continues { end = asked.revision + min(end - asked.revision, scenario.batchLimit) }
      progress.end = history.watermark(at: end)
      progress.isComplete = end == history.count
      progress.step = guards.stands(.headerIsReadBeforeFeed) ? .apply : .readHeaderLate
      state.progress[index] = progress
    }

    private func apply(isRead: Bool, in state: inout State) {
      let progress = state.progress[index]
      if state.cache.watermark != progress.asked, guards.stands(.slowerCatchUpIsOvertaken) {
        state.progress[index].forgetBatch()
        return beginAgain(in: &state)
      }
      if guards.stands(.dropAndWatermarkAreOneTransaction) { drop(in: &state) }
      state.cache.watermark = progress.end
      if isLast(progress) { state.cache.header = progress.header }
      if guards.stands(.dropAndWatermarkAreOneTransaction) {
        finishBatch(isRead: isRead, in: &state)
      } else {
        state.progress[index].step = .dropLate
      }
    }

    private func beginAgain(in state: inout State) {
      state.progress[index].header = 0
      state.progress[index].step = .begin
    }

    private func drop(in state: inout State) {
      let progress = state.progress[index]
      if progress.continues {
        state.cache.note(
          state.history, after: progress.asked.revision, through: progress.end.revision,
          forgetsTags: scenario.forgetsTags, guards)
      } else {
        state.cache.begin(
          at: progress.end.revision, droppingEntries: guards.stands(.anotherHistoryDropsEverything))
      }
    }

    private func finishBatch(isRead: Bool, in state: inout State) {
      let isLast = isLast(state.progress[index])
      state.progress[index].forgetBatch()
      guard isLast else { return catchUp(isRead: isRead, in: &state) }
      state.setVerified(actor.process, true)
      look(in: &state)
    }

    private func isLast(_ progress: Progress) -> Bool {
      progress.isComplete || !guards.stands(.headerNeedsCompleteBatch)
    }

    // MARK: Asking the primary

    private func miss(_ subject: Subject, in state: inout State) {
      guard let leader = leader(of: subject, in: state) else {
        state.progress[index] = restarted(at: .load, in: state)
        return
      }
      if state.progress[leader].step == .fill {
        answer(index, with: state.progress[leader].answer, to: subject, in: &state)
      } else {
        state.progress[index].step = .wait
        state.progress[index].leader = UInt8(leader)
      }
    }

    /// Another read of the same process whose load this one may share.
    private func leader(of subject: Subject, in state: State) -> Int? {
      scenario.actors.indices.first { other in
        let progress = state.progress[other]
        guard other != index, scenario.actors[other].process == actor.process,
          progress.step == .load || progress.step == .fill,
          case .read(subject) = scenario.actors[other].program[Int(progress.operation)]
        else { return false }
        return progress.header == state.progress[index].header || !guards.stands(.joinerComparesHeaders)
      }
    }

    private func load(_ subject: Subject?, in state: inout State) {
      guard let subject else { preconditionFailure("only reads load") }
      let answer = state.history.answer(to: subject, at: state.history.count)
      state.progress[index].answer = answer
      state.progress[index].asOf = state.history.end
      state.progress[index].step = .fill
      for other in scenario.actors.indices
      where state.progress[other].step == .wait && state.progress[other].leader == UInt8(index) {
        self.answer(other, with: answer, to: subject, in: &state)
      }
    }

    private func fill(_ subject: Subject?, in state: inout State) {
      guard let subject else { preconditionFailure("only reads fill") }
      let progress = state.progress[index]
      if state.cache.fill(subject, with: progress.answer, asOf: progress.asOf, guards) {
        state.violation = .newerEntryOverwritten
      }
      // The episodes of an answer go into the cache with it, in the same transaction.
      if subject == .both {
        let (a, b) = (Answer(a: progress.answer.a), Answer(b: progress.answer.b))
        for (key, answer) in [(Subject.a, a), (.b, b)]
        where state.cache.fill(key, with: answer, asOf: progress.asOf, guards) {
          state.violation = .newerEntryOverwritten
        }
      }
      finish(index, in: &state)
    }

    // MARK: Ending

    /// I3
    private func answer(_ reader: Int, with answer: Answer, to subject: Subject, in state: inout State) {
      let began = state.progress[reader].began
      if began != Progress.beforeRestore, !state.history.holds(answer, to: subject, since: began) {
        state.violation = .staleAnswer
      }
      finish(reader, in: &state)
    }

    /// What is read from the primary now is no older than the read, so that only the header still matters.
    private func restarted(at step: Progress.Step, in state: State) -> Progress {
      var progress = Progress()
      progress.operation = state.progress[index].operation
      progress.header = state.progress[index].header
      progress.step = step
      return progress
    }

    private func finish(_ actor: Int, in state: inout State) {
      state.progress[actor].finishOperation(of: scenario.actors[actor].program)
    }
  }
}
