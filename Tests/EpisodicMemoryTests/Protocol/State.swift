extension Simulator {
  /// Everything there is at one moment between two steps.
  struct State: Hashable {
    // The primary.
    var history = History()
    /// Moves with every commit. While everything is closed it can return to what it was.
    var header: UInt8 = 0
    /// Commits ever made; those that a restored backup has never seen count too.
    var commits: UInt8 = 0

    var cache = CacheModel()

    // The processes.
    /// A bit for each process that has caught up since it opened.
    var verified: UInt8 = 0
    var progress: [Progress]
    var killsLeft: UInt8
    var life: UInt8 = 0

    var violation: Violation?

    init(_ scenario: Scenario) {
      progress = Array(repeating: Progress(), count: scenario.actors.count)
      killsLeft = scenario.kills
      guard scenario.isWarm else { return }
      cache.watermark = .beginning
      cache.header = header
      for subject in [Subject.a, .b, .both] {
        cache[subject] = CacheModel.Entry(revision: 0)
      }
      verified = .max
    }

    /// Hashes what tells states apart most, packed: a build without optimisation pays by the field.
    func hash(into hasher: inout Hasher) {
      hasher.combine(history)
      hasher.combine(cache.tags)
      hasher.combine(Self.pack(cache.watermark.revision, cache.header, killsLeft, verified))
      for one in progress {
        hasher.combine(Self.pack(one.step.rawValue, one.operation, one.header, one.began))
        hasher.combine(Self.pack(one.tries, one.asked.revision, one.end.revision, one.asOf.revision))
      }
    }

    private static func pack(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> UInt32 {
      UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    mutating func commit(to key: Subject) {
      commits += 1
      history.append(commits << 1 | (key == .b ? 1 : 0))
      header += 1
    }

    /// Puts a backup in the place of the primary while it is in use.
    mutating func restore(_ revision: UInt8) {
      history.truncate(to: revision)
      header += 1
      for index in progress.indices where progress[index].isUnderWay { progress[index].began = Progress.beforeRestore }
    }

    func hasVerified(_ process: Int) -> Bool { verified & 1 << UInt8(process) != 0 }

    mutating func setVerified(_ process: Int, _ isVerified: Bool) {
      if isVerified { verified |= 1 << UInt8(process) } else { verified &= ~(1 << UInt8(process)) }
    }
  }
}
