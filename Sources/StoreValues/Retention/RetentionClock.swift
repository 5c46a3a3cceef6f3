/// Decides whether the clock can be believed when something is deleted by its age: a clock that jumps ahead must not empty a
/// memory.
///
/// The time that has passed is counted from one look at the clock to the next. A pause between two looks that is longer than
/// `evenPause` may be a jump of the clock, and is not counted: the clock is then ahead of the counted time, which is no later
/// than the true one. Nothing here depends on the policies, so that one rule does not decide for another.
package struct RetentionClock: Hashable, Sendable {
  /// A machine that was off for the night, or that looks once a day, has not lost its clock, however short an age is.
  private static let evenPause = Duration.seconds(36 * 3600)
  /// How far the clock may be ahead for a rule, if its age is not shorter than twice that.
  private static let longestGap = Duration.seconds(30 * 86_400)
  private static let longestProof = Duration.seconds(7 * 86_400)
  /// Long pauses in succession, after which such pauses are usual.
  private static let usualPauses = 3

  /// The time that has been counted.
  package private(set) var counted: Timestamp
  /// What the clock said at the last look.
  private var seen: Timestamp
  /// How long the clock has gone on since the last long pause, while it is ahead.
  private var goneOn = Duration.zero
  /// Long pauses in succession, of which none is more than twice as long as its neighbour, while the clock is ahead.
  private var pauses = 0
  private var lastPause = Duration.zero

  /// - Parameter start: The earliest time that is known, such as that of the creation of the store.
  package init(start: Timestamp) { (counted, seen) = (start, start) }

  // MARK: Looking at the clock

  /// What was recorded since the last look says nothing: an import may be dated at will, and so may what was recorded under a
  /// clock that was wrong before.
  package mutating func look(at now: Timestamp) {
    let pause = seen.duration(to: now)
    if pause > Self.evenPause {
      pauses = pauses > 0 && pause <= lastPause * 2 && lastPause <= pause * 2 ? pauses + 1 : 1
      lastPause = pause
      goneOn = .zero
    } else if pause < .zero - Self.evenPause {
      (pauses, goneOn) = (0, .zero)
    } else {
      counted = counted.adding(max(pause, .zero))
      goneOn = min(goneOn + max(pause, .zero), Self.longestProof)
    }
    seen = now
    // A clock that goes back behind the counted time makes everything younger.
    if lead <= Self.evenPause || goneOn >= Self.longestProof || pauses >= Self.usualPauses { accept(now) }
  }

  /// Believes the clock whatever it says.
  package mutating func accept(_ now: Timestamp) { self = RetentionClock(start: now) }

  // MARK: What it says

  /// How far the clock is ahead of the counted time.
  private var lead: Duration { counted.duration(to: seen) }

  /// How far the clock may be ahead for a rule of an age: by half of the age, but by no less than a pause that is counted.
  private static func gap(_ age: Duration) -> Duration { min(longestGap, max(evenPause, age / 2)) }

  /// How long a clock that is further ahead has to go on before a rule of an age is applied.
  private static func proof(_ age: Duration) -> Duration { min(longestProof, gap(age)) }

  /// Whether a rule of an age may be applied by what the clock said at the last look.
  package func isBelieved(forAge age: Duration) -> Bool { lead <= Self.gap(age) || goneOn >= Self.proof(age) }

  /// Why some rules are not applied; `nil` if none is held back.
  ///
  /// - Parameter ages: Of the rules in force.
  /// - Parameter tellsTime: Whether the message may say when there was activity.
  package func doubt(ofAges ages: [Duration], tellsTime: Bool) -> String? {
    guard let proof = ages.filter({ !isBelieved(forAge: $0) }).map(Self.proof).max() else { return nil }
    let last =
      tellsTime
      ? "the last time that this store is sure of is \(counted)"
      : "that is far beyond the last time that this store is sure of"
    return
      "the clock says \(seen), and \(last): some rules of age were not applied; if the clock is right, accept it, or it is "
      + "believed when it has gone on for \(proof.inWholeUnits)"
  }
}

extension RetentionClock {
  package static let setting = "retention.clock"

  package var json: JSON {
    [
      "counted": counted.jsonValue, "seen": seen.jsonValue, "gone_on_ms": .integer(goneOn.milliseconds),
      "pauses": .integer(Int64(pauses)), "last_pause_ms": .integer(lastPause.milliseconds),
    ]
  }

  /// `nil` for what `json` does not write.
  package init?(json: JSON?) {
    func time(_ name: String) -> Timestamp? {
      guard case .string(let text)? = json?[name] else { return nil }
      return Timestamp(text)
    }
    func number(_ name: String) -> Int64? {
      guard case .integer(let number)? = json?[name], number >= 0 else { return nil }
      return number
    }
    guard let counted = time("counted"), let seen = time("seen"), let goneOn = number("gone_on_ms"),
      let pauses = number("pauses"), pauses < Self.usualPauses, let lastPause = number("last_pause_ms")
    else { return nil }
    (self.counted, self.seen) = (counted, max(counted, seen))
    (self.goneOn, self.pauses) = (.milliseconds(goneOn), Int(pauses))
    self.lastPause = .milliseconds(lastPause)
  }
}

extension Timestamp {
  /// Negative to an earlier time; the longest one if there is no room for it.
  fileprivate func duration(to other: Timestamp) -> Duration {
    let (span, overflow) = other.milliseconds.subtractingReportingOverflow(milliseconds)
    return .milliseconds(overflow ? (other < self ? .min : .max) : span)
  }
}
