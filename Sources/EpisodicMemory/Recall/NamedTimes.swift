import struct Foundation.TimeZone

/// The times that a query's text names, before the moment is known that they are relative to.
struct NamedTimes {
  /// Days without a new episode after which a question is taken to be asked at the end of what is remembered.
  static let daysUntilEnded: Int64 = 30

  private let times: TimeCues
  private let askedAt: Timestamp?
  private let now: Timestamp
  private let zone: TimeZone

  /// - Parameter clock: Asked only if the query does not say when it is asked.
  init(_ query: Query, clock: some WallClock) {
    times = TimeCues(query.text ?? "")
    askedAt = query.askedAt
    zone = query.timeZone
    if let askedAt = query.askedAt {
      now = askedAt
    } else {
      // Within a minute a question has one answer.
      let now = times.isRelative ? clock.now().milliseconds : 0
      self.now = Timestamp(milliseconds: now - now.flooredDivision(by: 60_000).remainder)
    }
  }

  /// Whether the windows depend on the newest episode of the scope.
  private var dependsOnNewest: Bool { askedAt == nil && times.isRelative }

  /// The midnight after the question. Not the moment: answers of one day have one key.
  var endOfDay: Timestamp {
    let offset = Int64(zone.secondsFromGMT(for: now.date)) * 1000
    return Timestamp(milliseconds: (day(of: now) + 1) * TimeResolver.day - offset)
  }

  /// What the answer depends on apart from the store: windows, the day of the question if the newest episode may replace it,
  /// and the zone if an event or that day decides.
  var key: (windows: [Range<Timestamp>], day: Int64?, zone: String?) {
    (
      times.cues(askedAt: now, zone: zone).map(\.window), dependsOnNewest ? day(of: now) : nil,
      times.events.isEmpty && !dependsOnNewest ? nil : zone.identifier
    )
  }

  /// The times for a question that does not say when it is asked: now, or the time of the newest episode if that is more than
  /// 30 days old. A memory that ended long ago is asked about as seen from its end.
  ///
  /// - Parameter newest: When the newest episode that the query may find was created; asked only if it matters.
  func resolved(
    newest: () async throws(MemoryError) -> Timestamp?
  ) async throws(MemoryError) -> QuestionTimes {
    var anchor = now
    if dependsOnNewest, let newest = try await newest(), day(of: now) - day(of: newest) > Self.daysUntilEnded {
      anchor = newest
    }
    return QuestionTimes(cues: times.cues(askedAt: anchor, zone: zone), events: times.events, zone: zone)
  }

  private func day(of time: Timestamp) -> Int64 {
    let offset = Int64(zone.secondsFromGMT(for: time.date)) * 1000
    return (time.milliseconds + offset).flooredDivision(by: TimeResolver.day).quotient
  }
}
