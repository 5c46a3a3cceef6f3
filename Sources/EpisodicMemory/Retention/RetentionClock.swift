/// Decides whether the clock can be believed when something is deleted by its age: a clock that jumps ahead must not empty a
/// memory.
///
/// The latest time that was believed is kept, and a clock may be a gap beyond it. One that is further ahead is believed when it
/// has been seen going on: three times, an hour or more apart, over the proof. A clock that goes back is believed at once,
/// because it makes everything younger.
package struct RetentionClock: Hashable, Sendable {
  /// How far the clock may be ahead of the last time, if no age is shorter than twice that.
  private static let longestGap = Duration.seconds(30 * 86_400)
  /// A machine that was off for the night has not lost its clock, however short an age is.
  private static let shortestGap = Duration.seconds(86_400)
  private static let longestProof = Duration.seconds(7 * 86_400)
  private static let sightingsOfProof = 3
  /// Sightings within an hour count once.
  private static let sightingDistance = Duration.seconds(3600)
  /// A clock that moves further from one sighting to the next has jumped again: the proof begins with it.
  private static let longestPause = Duration.seconds(60 * 86_400)
  /// Looks at the activity of a store, which bridges the time in which nobody judged the clock.
  private static let mostBridges = 1000

  /// The latest time that was believed.
  package private(set) var trusted: Timestamp
  /// Of a clock that is not believed yet.
  private var doubt: Sightings?

  private struct Sightings: Hashable {
    let first: Timestamp
    var last: Timestamp
    /// When the last one was that counts.
    var counted: Timestamp
    var count: Int
  }

  /// - Parameter newest: The latest time before the first judgement at which something was recorded.
  package init(newest: Timestamp) { trusted = newest }

  /// How far the clock may be ahead: 30 days, or half of the shortest age in force, but a day at least.
  private static func gap(_ shortestAge: Duration?) -> Duration {
    min(longestGap, max(shortestGap, (shortestAge ?? longestGap * 2) / 2))
  }

  /// - Parameter shortestAge: Of the rules in force; `nil`: there is none.
  /// - Parameter activity: The latest time that is no later than its argument at which something was recorded.
  /// - Returns: Why the clock is not believed; `nil` if it is.
  package mutating func judge(
    _ now: Timestamp, shortestAge: Duration?, isAccepted: Bool = false,
    activity: (_ notAfter: Timestamp) throws -> Timestamp? = { _ in nil }
  ) rethrows -> ClockDoubt? {
    let gap = Self.gap(shortestAge)
    if !isAccepted, now > trusted.adding(gap) { try bridge(to: now, gap, activity) }
    if isAccepted || now <= trusted.adding(gap) { return believe(now) }

    let proof = min(Self.longestProof, gap)
    if var seen = doubt, now >= seen.first, now <= seen.last.adding(Self.longestPause) {
      seen.last = now
      if now >= seen.counted.adding(Self.sightingDistance) {
        seen.count = min(seen.count + 1, Self.sightingsOfProof)
        seen.counted = now
      }
      doubt = seen
      if seen.count >= Self.sightingsOfProof, now >= seen.first.adding(proof) { return believe(now) }
    } else {
      doubt = Sightings(first: now, last: now, counted: now, count: 1)
    }
    return ClockDoubt(now: now, trusted: trusted, proof: proof)
  }

  private mutating func believe(_ now: Timestamp) -> ClockDoubt? {
    trusted = now
    doubt = nil
    return nil
  }

  /// Moves the trusted time along what was recorded since, as long as no pause in it is longer than the gap.
  private mutating func bridge(
    to now: Timestamp, _ gap: Duration, _ activity: (_ notAfter: Timestamp) throws -> Timestamp?
  ) rethrows {
    for _ in 0..<Self.mostBridges where now > trusted.adding(gap) {
      guard let next = try activity(trusted.adding(gap)), next > trusted else { return }
      trusted = next
    }
  }
}

/// Why nothing is done by age.
package struct ClockDoubt: Hashable, Sendable {
  private let now: Timestamp
  private let trusted: Timestamp
  private let proof: Duration

  fileprivate init(now: Timestamp, trusted: Timestamp, proof: Duration) {
    (self.now, self.trusted, self.proof) = (now, trusted, proof)
  }

  /// - Parameter scope: For one domain the message does not say when others were active (I8).
  package func message(in scope: Query.Scope) -> String {
    let last =
      switch scope {
      case .everything: "the last time that this store knows of is \(trusted)"
      case .domain: "that is far beyond the last time that this store knows of"
      }
    // The proof follows from the shortest age of any domain.
    let long =
      switch scope {
      case .everything: proof.inWholeUnits
      case .domain: "some days"
      }
    return
      "the clock says \(now), and \(last): nothing was done by age; if the clock is right, accept it, or it is believed "
      + "when it has gone on for \(long)"
  }
}

extension RetentionClock {
  package static let setting = "retention.clock"

  package var json: JSON {
    var members: JSON.Object = ["trusted": trusted.jsonValue]
    if let doubt {
      members["doubted_since"] = doubt.first.jsonValue
      members["doubted_until"] = doubt.last.jsonValue
      members["doubted_counted"] = doubt.counted.jsonValue
      members["sightings"] = .integer(Int64(doubt.count))
    }
    return .object(members)
  }

  /// `nil` for what `json` does not write.
  package init?(json: JSON?) {
    func time(_ name: String) -> Timestamp? {
      guard case .string(let text)? = json?[name] else { return nil }
      return Timestamp(text)
    }
    guard let trusted = time("trusted") else { return nil }
    self.trusted = trusted
    guard let first = time("doubted_since"), let last = time("doubted_until"), let counted = time("doubted_counted"),
      case .integer(let count)? = json?["sightings"], let count = Int(exactly: count), count > 0,
      count <= Self.sightingsOfProof
    else { return }
    doubt = Sightings(first: first, last: last, counted: counted, count: count)
  }
}
