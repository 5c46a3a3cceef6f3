/// Decides whether the clock can be believed when policies of retention look at ages: one that jumps ahead must not empty a
/// memory.
///
/// The time of the last run is kept. A clock that is more than 30 days beyond it, or beyond the newest episode before the first
/// run, is believed only when it has gone on for seven days; one that goes back makes everything younger, which does nothing.
struct RetentionClock: Hashable {
  private static let jump = Duration.seconds(30 * 86_400)
  private static let proof = Duration.seconds(7 * 86_400)

  /// The latest time that was believed.
  private(set) var trusted: Timestamp
  /// When a clock was first seen that is not believed yet, and when last.
  private(set) var doubtedSince: Timestamp?
  private(set) var doubtedUntil: Timestamp?

  /// - Parameter newest: Of what is in the store, before the first run.
  init(newest: Timestamp) { trusted = newest }

  /// - Returns: Why the clock is not believed; `nil` if it is.
  mutating func judge(_ now: Timestamp, isAccepted: Bool) -> String? {
    if isAccepted || now <= trusted.adding(Self.jump) || hasProved(now) {
      trusted = isAccepted ? now : max(trusted, now)
      (doubtedSince, doubtedUntil) = (nil, nil)
      return nil
    }
    if !goesOn(now) { doubtedSince = now }
    doubtedUntil = now
    return
      "the clock says \(now), and the last time that this store knows of is \(trusted): nothing was done by age; if the clock "
      + "is right, accept it, or it is believed when it has gone on for 7 days"
  }

  private func goesOn(_ now: Timestamp) -> Bool {
    guard let doubtedSince, let doubtedUntil else { return false }
    return now >= doubtedSince && now <= doubtedUntil.adding(Self.jump)
  }

  private func hasProved(_ now: Timestamp) -> Bool {
    goesOn(now) && doubtedSince.map { $0.adding(Self.proof) <= now } ?? false
  }
}

extension RetentionClock {
  static let setting = "retention.clock"

  var json: JSON {
    var members: JSON.Object = ["trusted": trusted.jsonValue]
    members["doubted_since"] = doubtedSince?.jsonValue
    members["doubted_until"] = doubtedUntil?.jsonValue
    return .object(members)
  }

  /// `nil` for what `json` does not write.
  init?(json: JSON?) {
    func time(_ name: String) -> Timestamp? {
      guard case .string(let text)? = json?[name] else { return nil }
      return Timestamp(text)
    }
    guard let trusted = time("trusted") else { return nil }
    self.trusted = trusted
    doubtedSince = time("doubted_since")
    doubtedUntil = time("doubted_until")
  }
}
