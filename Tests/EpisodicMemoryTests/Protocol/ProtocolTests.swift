import Testing

/// Readers, writers, the shell and a kill between any two steps, in every order there is (I3).
@Suite struct `The cache protocol` {
  private typealias Explorer = Simulator.Explorer

  @Test(arguments: Simulator.Scenario.large + Simulator.Scenario.small)
  func `answers no read with what was overtaken before it began`(_ scenario: Simulator.Scenario) {
    let findings = Explorer.explore(scenario)
    print("\(scenario.testDescription): \(findings.states) states, \(findings.schedules) schedules, no violation")
    #expect(findings.violation == nil, "\(findings.schedule)")
    #expect(findings.schedules > 0)
  }

  @Test(arguments: Simulator.Guard.allCases)
  func `breaks without any one of its guards`(_ removed: Simulator.Guard) throws {
    let broken = Simulator.Scenario.small.lazy.compactMap { scenario in
      let findings = Explorer.explore(scenario, without: [removed])
      return findings.violation.map { "\($0) with \(scenario.testDescription): \(findings.schedule)" }
    }
    let first = broken.first
    let violation = try #require(first, "no schedule needs it; drop it from the code, or find the one that does")
    print("without \(removed): \(violation)")
  }
}
