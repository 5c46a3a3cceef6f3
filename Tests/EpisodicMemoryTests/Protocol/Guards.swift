extension Simulator {
  /// The guards that stand; all of them but what a test has taken out.
  struct Guards {
    private let removed: UInt32

    init(without removed: [Guard]) {
      self.removed = removed.reduce(0) { $0 | 1 << UInt32($1.rawValue) }
    }

    func stands(_ one: Guard) -> Bool { removed & 1 << UInt32(one.rawValue) == 0 }
  }
}
