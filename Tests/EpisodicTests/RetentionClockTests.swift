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

  @Test(arguments: [(1, 36), (2, 36), (7, 84), (20, 240), (60, 720), (365, 720)])
  func `a clock may be ahead by half of a rule's age, 36 hours at least and 30 days at most`(
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

  @Test(arguments: [(1, 36), (7, 84), (90, 168)])
  func `a clock that goes on is believed after half of a rule's age, 36 hours at least and a week at most`(
    age: Int, hours: Int
  ) async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * age), clock)
    clock.advance(by: Self.day * 200)
    #expect(try await memory.applyRetention().clockDoubt != nil)
    let doubts = try await Self.doubts(hours / 6, every: Self.hour * 6, memory, clock)
    #expect(doubts.dropLast().allSatisfy { $0 } && doubts.last == false, "\(doubts)")
    #expect(try await memory.episode("e")?.status == .archived)
  }

  @Test func `a rule with a short age does not let a clock that jumped ahead apply one with a long age`() async throws {
    let clock = ManualClock()
    let memory = try await Memory.inMemory(clock: clock)
    try await memory.insert([.sample("old", status: .archived, at: clock.now().milliseconds)])
    _ = try await memory.begin(.init(.testing, domain: "other", context: "x", id: "active"))
    try await memory.setRetention(RetentionPolicy(deleteArchivedAfter: Self.day * 365))
    try await memory.setRetention(RetentionPolicy(abandonAfter: Self.day * 2), for: "other")
    #expect(try await memory.applyRetention().clockDoubt == nil)
    clock.advance(by: Self.day * 400)
    for hour in 0..<168 {
      let report = try await memory.applyRetention()
      #expect(report.counts == (hour == 36 ? [.abandonAfter: 1] : [:]), "\(hour)")
      #expect(report.clockDoubt != nil)
      #expect(try await (memory.domain("other").applyRetention().clockDoubt != nil) == (hour < 36))
      clock.advance(by: Self.hour)
    }
    #expect(try await memory.applyRetention().counts == [.deleteArchivedAfter: 1])
  }

  @Test func `a policy that is set while the clock is ahead believes it no more than one before`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(nil, clock)
    clock.advance(by: Self.day * 20)
    try await memory.maintain(.init(tasks: [.retention]))
    try await memory.setRetention(RetentionPolicy(archiveAfter: Self.day * 7))
    let report = try await memory.applyRetention()
    #expect(report.total == 0 && report.clockDoubt != nil)
  }

  @Test func `the first look at the clock trusts nothing that was recorded after a jump`() async throws {
    let clock = ManualClock()
    let store = try Store()
    var memory = try await store.open { $0.clock = clock }
    try await memory.insert([.sample("e", at: clock.now().milliseconds)])
    clock.advance(by: Self.day * 400)
    try await memory.insert([.sample("jumped", at: clock.now().milliseconds)])
    try await memory.setRetention(RetentionPolicy(archiveAfter: Self.day * 90))
    try await memory.close()
    memory = try await store.open { $0.clock = clock }
    for dryRun in [true, false] {
      let report = try await memory.applyRetention(dryRun: dryRun)
      #expect(report.total == 0 && report.clockDoubt != nil)
    }
    try await memory.close()
  }

  @Test func `many looks within some hours prove nothing, and a second jump begins the proof again`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 7), clock)
    clock.advance(by: Self.day * 20)
    #expect(try await Self.doubts(100, every: .seconds(60), memory, clock).allSatisfy { $0 })
    #expect(try await Self.doubts(13, every: Self.hour * 6, memory, clock).allSatisfy { $0 })
    clock.advance(by: Self.day * 50)
    #expect(try await Self.doubts(14, every: Self.hour * 6, memory, clock).allSatisfy { $0 })
    #expect(try await Self.doubts(1, every: Self.hour * 6, memory, clock) == [false])
  }

  @Test func `a machine that is off at night and at weekends fails abandoned episodes on every other day`() async throws
  {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 90, abandonAfter: Self.day * 2), clock)
    for week in 0..<8 {
      for day in 0..<5 {
        let doubts = try await Self.doubts(9, every: Self.hour, memory, clock)
        #expect(day < 2 && week > 0 || !doubts.contains(true), "week \(week), day \(day)")
        clock.advance(by: Self.hour * 15)
      }
      clock.advance(by: Self.hour * 48)
    }
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

  @Test func `episodes of a clock that was wrong before do not make it believed again`() async throws {
    let clock = ManualClock()
    let memory = try await Self.memory(RetentionPolicy(archiveAfter: Self.day * 2), clock)
    for number in 0..<4 {
      clock.advance(by: Self.day)
      try await memory.insert([.sample(Episode.ID("f\(number)"), at: clock.now().milliseconds)])
    }
    clock.advance(by: Self.day * -4)
    #expect(try await memory.applyRetention().clockDoubt == nil)
    clock.advance(by: Self.day * 4)
    let report = try await memory.applyRetention()
    #expect(report.clockDoubt != nil && report.total == 0)
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
    #expect(all.contains("\(time)"), "\(all)")
    let one = try #require(try await memory.domain("web").applyRetention().clockDoubt)
    #expect(!one.contains("\(time)") && one.contains("\(clock.now())"), "\(one)")
  }

  /// What is true, beside what the clock says: it is right, but for some hours or days again and again.
  private struct Truth {
    struct Entry {
      let age: Duration
      let recordedAt: Int64
      /// Of the clock when it was recorded, in milliseconds.
      let error: Int64
    }

    static let ages = [hour * 6, day * 2, day * 5, day * 20, day * 60, day * 400]

    static let isMissing = "it is not there"
    static let isNotDue = "it is not due"

    var now: Int64 = 1_767_225_600_000
    var error: Int64 = 0
    /// When the clock jumped last, and when the machine was off for more than 36 hours last.
    var jumpedAt: Int64 = 1_767_225_600_000
    var wasOffUntil: Int64 = 0
    var longestPause: Int64 = 0
    var entries: [Episode.ID: Entry] = [:]

    mutating func jump(to error: Int64) {
      self.error = error
      jumpedAt = now
    }

    mutating func pass(_ time: Int64) {
      now += time
      guard time > (hour * 36).milliseconds else { return }
      wasOffUntil = now
      longestPause = max(longestPause, time)
    }

    /// What is wrong with a rule that was applied now.
    func objection(toApplying id: Episode.ID) -> String? {
      guard let entry = entries[id] else { return Self.isMissing }
      let age = entry.age.milliseconds
      let isDated = now + error - entry.recordedAt - entry.error >= age
      let tolerance = min((day * 30).milliseconds, max((hour * 36).milliseconds, age / 2))
      let hasGoneOn = now - jumpedAt >= min((day * 7).milliseconds, tolerance)
      // What was recorded while the clock was behind is as old as its date says.
      let isEarly = now - entry.recordedAt + max(0, -entry.error) < age - tolerance
      let isUsual = longestPause > 0 && error <= longestPause * 2
      return !isDated
        ? Self.isNotDue : isEarly && !hasGoneOn && !isUsual ? "it is \(age - now + entry.recordedAt) ms early" : nil
    }

    /// Rules that would be applied early by the clock alone.
    var withheld: Int { entries.keys.count { id in objection(toApplying: id).map { $0 != Self.isNotDue } ?? false } }

    /// The rules that should have been applied before a look now, if the last one was so long ago.
    func overdue(_ pause: Int64) -> [Episode.ID] {
      guard error == 0 else { return [] }
      return entries.filter { _, entry in
        let due = entry.recordedAt + entry.error + entry.age.milliseconds
        return now - max(due, jumpedAt, wasOffUntil) > (day * 7).milliseconds + pause + 1000
      }.map(\.key)
    }
  }

  @Test(arguments: 0..<16) func `applies no rule early while the clock is wrong, and each a week after it is right`(
    seed: UInt64
  ) async throws {
    var random = SeededGenerator(seed: seed)
    var truth = Truth()
    func upTo(_ most: Duration, from least: Duration = .seconds(60)) -> Int64 {
      // As often hours as years.
      let range = log(Double(least.milliseconds))...log(Double(most.milliseconds))
      return Int64(exp(Double.random(in: range, using: &random)))
    }
    if seed % 4 > 1 { truth.jump(to: upTo(Self.day * 3000, from: Self.hour * 12) * (seed % 4 == 2 ? 1 : -1)) }
    let clock = ManualClock(Timestamp(milliseconds: truth.now + truth.error))
    func set() { clock.advance(by: .milliseconds(truth.now + truth.error - clock.now().milliseconds)) }
    let store = try Store()
    var memory = try await store.open { $0.clock = clock }
    for (number, age) in Truth.ages.enumerated() {
      let policy = number == 1 ? RetentionPolicy(abandonAfter: age) : RetentionPolicy(deleteArchivedAfter: age)
      try await memory.setRetention(policy, for: "d\(number)", allowingUnknownDomain: true)
    }
    var rightAgain: Int64 = truth.now + upTo(Self.day * 20)
    var (applied, withheld) = (0, 0)
    for round in 0..<300 {
      // At the end the clock is right, and all that is due goes.
      let isEnd = round >= 260
      let pause = seed.isMultiple(of: 2) || isEnd || round % 20 > 0 ? upTo(Self.hour * 12) : upTo(Self.day * 20)
      truth.pass(pause)
      if truth.error != 0, truth.now >= rightAgain || isEnd {
        truth.jump(to: 0)
      } else if truth.error == 0, !isEnd, Int.random(in: 0..<8, using: &random) == 0 {
        truth.jump(
          to: upTo(Self.day * 3000, from: Self.hour * 12) * (Int.random(in: 0..<3, using: &random) == 0 ? -1 : 1))
        rightAgain = truth.now + upTo(Self.day * 20)
      }
      set()
      if Int.random(in: 0..<20, using: &random) == 0 {
        try await memory.close()
        memory = try await store.open { $0.clock = clock }
      }
      if Bool.random(using: &random) {
        let number = Int.random(in: 0..<Truth.ages.count, using: &random)
        let id = Episode.ID("e\(round)")
        try await memory.insert([
          .sample(
            id, domain: "d\(number)", status: number == 1 ? .active : .archived, at: clock.now().milliseconds)
        ])
        truth.entries[id] = .init(age: Truth.ages[number], recordedAt: truth.now, error: truth.error)
      }
      let report = try await memory.applyRetention()
      for decision in report.decisions {
        #expect(truth.objection(toApplying: decision.episode) == nil, "round \(round), \(decision)")
        truth.entries[decision.episode] = nil
        applied += 1
      }
      withheld += truth.withheld
      #expect(truth.overdue(pause) == [], "round \(round): \(report.clockDoubt ?? "")")
    }
    // Something was at stake.
    #expect(applied > 10 && withheld > 0, "\(applied), \(withheld)")
    try await memory.close()
  }
}
