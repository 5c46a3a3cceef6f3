import Episodic
import EpisodicMemory
import Foundation
import TestSupport
import Testing

@Suite struct `The clock of retention` {
  private static let hour = Duration.seconds(3600)
  private static let day = hour * 24

  /// An episode of now, a policy, and a first run.
  private static func memory(_ policy: RetentionPolicy?, _ clock: ManualClock) async throws -> Memory {
    let memory = try await Memory.inMemory(clock: clock)
    try await memory.insert([.sample("e", at: clock.now().milliseconds)])
    try await memory.setRetention(policy)
    #expect(try await memory.applyRetention().clockDoubt == nil)
    return memory
  }

  /// What each of some runs says, `true` for one that does not believe the clock.
  private static func doubts(_ runs: Int, every pause: Duration, _ memory: Memory, _ clock: ManualClock) async throws
    -> [Bool]
  {
    var doubts: [Bool] = []
    for _ in 0..<runs {
      clock.advance(by: pause)
      doubts.append(try await memory.applyRetention().clockDoubt != nil)
    }
    return doubts
  }

  @Test func `a clock that jumps ahead empties no memory, and one that goes back does nothing`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(
      RetentionPolicy(archiveAfter: Self.day * 20, deleteArchivedAfter: Self.day * 30), clock)
    clock.advance(by: Self.day * 400)
    // A write of the time that the clock shows changes nothing.
    try await memory.insert([.sample("f", at: clock.now().milliseconds)])
    for _ in 0..<3 {
      let report = try await memory.applyRetention()
      #expect(report.total == 0 && report.clockDoubt != nil)
      let maintained = try await memory.maintain(.init(tasks: [.retention]))
      #expect(maintained[.retention]?.outcome == .postponed)
      clock.advance(by: Self.day)
    }
    #expect(try await memory.applyRetention(dryRun: true, acceptingClock: true).total > 0)
    clock.advance(by: Self.day * -500)
    #expect(try await memory.applyRetention().total == 0)
    // From there on a jump is one, too.
    clock.advance(by: Self.day * 100)
    #expect(try await memory.applyRetention().clockDoubt != nil)
    #expect(try await memory.episode("e")?.status == .completed)
    try await memory.close()
  }

  @Test func `an episode dated in the future makes no clock believed`() async throws {
    for isFirst in [false, true] {
      let clock = ManualClock()
      let memory = try await Memory.inMemory(clock: clock)
      try await memory.insert([.sample("e", at: clock.now().milliseconds)])
      let future = clock.now().adding(Self.day * 365 * 160)
      try await memory.insert([.sample("imported", domain: "other", at: future.milliseconds)])
      try await memory.setRetention(RetentionPolicy(archiveAfter: Self.day * 90))
      if isFirst { #expect(try await memory.applyRetention().clockDoubt == nil) }
      clock.advance(by: Self.day * 400)
      let report = try await memory.applyRetention()
      #expect(report.total == 0 && report.clockDoubt?.contains("2190") == false, "\(report)")
      #expect(report.clockDoubt != nil)
    }
  }

  @Test(arguments: [(1, 24), (2, 24), (7, 84), (20, 240), (60, 720), (365, 720)])
  func `a clock may be half of the shortest age ahead, a day at least and 30 days at most`(
    days: Int, hours: Int
  ) async throws {
    let policy = RetentionPolicy(deleteArchivedAfter: Self.day * 400, abandonAfter: Self.day * days)
    for beyond in [0, 1] {
      let clock = ManualClock()
      let memory = try await Self.memory(policy, clock)
      clock.advance(by: Self.hour * (hours + beyond))
      #expect(try await (memory.applyRetention().clockDoubt != nil) == (beyond == 1))
    }
  }

  @Test(arguments: [(1, 1), (7, 4), (90, 7)])
  func `a clock that goes on is believed after half of the shortest age, a day at least and a week at most`(
    age: Int, days: Int
  ) async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * age), clock)
    clock.advance(by: Self.day * 200)
    #expect(try await memory.applyRetention().clockDoubt != nil)
    let doubts = try await Self.doubts(days * 4, every: Self.hour * 6, memory, clock)
    #expect(doubts.dropLast(4).allSatisfy { $0 } && doubts.last == false, "\(doubts)")
    #expect(try await memory.episode("e")?.status == .archived)
  }

  @Test func `two sightings prove nothing, and neither do many within an hour`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 7), clock)
    clock.advance(by: Self.day * 200)
    #expect(try await Self.doubts(10, every: .seconds(60), memory, clock).allSatisfy { $0 })
    clock.advance(by: Self.day * 4)
    #expect(try await Self.doubts(10, every: .seconds(60), memory, clock).allSatisfy { $0 })
    #expect(try await Self.doubts(1, every: Self.hour, memory, clock) == [false])
  }

  @Test func `a clock that is accepted is believed at once`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day), clock)
    clock.advance(by: Self.day * 60)
    #expect(try await memory.applyRetention().clockDoubt != nil)
    #expect(try await memory.applyRetention(acceptingClock: true).counts == [.archiveAfter: 1])
    #expect(try await memory.applyRetention().clockDoubt == nil)
  }

  @Test func `a laptop that slept for three months is believed after a week`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 90), clock)
    clock.advance(by: Self.day * 91)
    let doubts = try await Self.doubts(8 * 24, every: Self.hour, memory, clock)
    #expect(doubts.count { $0 } == 7 * 24, "\(doubts.count { $0 }) hours")
    #expect(try await memory.episode("e")?.status == .archived)
  }

  @Test func `a store that is opened once a month under a policy of seven days follows it at every third time`()
    async throws
  {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 7), clock)
    #expect(
      try await Self.doubts(6, every: Self.day * 31, memory, clock) == [true, true, false, true, true, false])
  }

  @Test func `a clock that goes an hour back and forth is believed`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 7), clock)
    for pause in [1, -1, 2, -1, 1, 1] {
      #expect(try await Self.doubts(1, every: Self.hour * pause, memory, clock) == [false])
    }
  }

  @Test func `a machine whose clock is wrong at every other start deletes nothing by age`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 7), clock)
    for _ in 0..<20 {
      clock.advance(by: Self.day * -10_000)
      #expect(try await memory.applyRetention().total == 0)
      clock.advance(by: Self.day * 10_001)
      #expect(try await memory.applyRetention().total == 0)
    }
    #expect(try await memory.episode("e")?.status == .completed)
  }

  @Test func `episodes bridge the time in which nobody maintained, and one of a jumped clock does not`() async throws {
    for jumps in [false, true] {
      let clock = ManualClock()
      let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 30), clock)
      for number in 0..<20 {
        clock.advance(by: Self.day * 10)
        try await memory.insert([.sample(Episode.ID("f\(number)"), at: clock.now().milliseconds)])
      }
      if jumps {
        clock.advance(by: Self.day * 300)
        try await memory.insert([.sample("jumped", at: clock.now().milliseconds)])
      }
      let report = try await memory.applyRetention()
      #expect((report.clockDoubt != nil) == jumps, "\(report.clockDoubt ?? "")")
      #expect((report.total > 0) == !jumps)
    }
  }

  @Test func `maintenance keeps the time before there is a policy`() async throws {
    let clock = ManualClock()
    let memory = try await Memory.inMemory(clock: clock)
    try await memory.insert([.sample("e", at: clock.now().milliseconds)])
    try await memory.maintain()
    clock.advance(by: Self.day * 400)
    try await memory.insert([.sample("jumped", at: clock.now().milliseconds)])
    try await memory.setRetention(RetentionPolicy(archiveAfter: Self.day * 7))
    let report = try await memory.applyRetention()
    #expect(report.clockDoubt != nil && report.total == 0)
  }

  /// I8
  @Test func `the report of a domain does not say when others were active`() async throws {
    let clock = ManualClock()
    let memory = try await Memory.inMemory(clock: clock)
    let time = clock.now()
    try await memory.insert([.sample("e", domain: "secret", at: time.milliseconds)])
    try await memory.setRetention(RetentionPolicy(archiveAfter: Self.day * 7))
    clock.advance(by: Self.day * 400)
    let all = try #require(try await memory.applyRetention().clockDoubt)
    #expect(all.contains("\(time)"))
    let one = try #require(try await memory.domain("web").applyRetention().clockDoubt)
    #expect(!one.contains("\(time)") && one.contains("\(clock.now())"), "\(one)")
  }
}
