import Episodic

/// The contents of the store of `bench coherence`, with counters that only grow.
///
/// - Episodes: `shellCount`, in the first word of the context, incremented by the `sqlite3` shell; `metadataCount`, in the
///   metadata, and the number of steps, incremented through the library. Even ones are active, odd ones completed.
/// - Patterns: the number of uses, incremented through the library.
/// - Guests: one episode per writer that is inserted and deleted, each time with a higher number in its metadata.
enum Population {
  static let episodes = 200
  static let patterns = 20
  private static let domains = 4
  private static let steps = 5
  private static let now = Timestamp(milliseconds: 1_750_000_000_000)

  static func id(_ number: Int) -> Episode.ID { Episode.ID("episode-\(number)") }
  static func domain(_ number: Int) -> String { "domain-\(number % domains)" }
  static func isActive(_ number: Int) -> Bool { number.isMultiple(of: 2) }

  /// Occurs in the context while the counter has this value.
  static func contextWord(_ number: Int, shellCount: Int64) -> String { "e\(number)c\(shellCount)" }
  /// Occurs in the step permanently.
  static func stepWord(_ number: Int, step: Int64) -> String { "e\(number)s\(step)" }

  static func episode(_ number: Int) -> Episode {
    let isActive = isActive(number)
    return Episode(
      id: id(number), taskType: .testing, domain: domain(number),
      context: "\(contextWord(number, shellCount: 0)) not changed by the shell yet",
      status: isActive ? .active : .completed, successRate: isActive ? nil : 1, createdAt: now,
      completedAt: isActive ? nil : now, metadata: metadata(0),
      steps: (1...steps).map {
        Step(
          id: Step.ID("\(number)-\($0)"), number: $0, action: stepWord(number, step: Int64($0)), result: "as expected",
          timestamp: now)
      })
  }

  static func metadata(_ metadataCount: Int64) -> JSON { ["n": .integer(metadataCount)] }

  static let guestDomain = "guests"
  static func guestID(_ writer: Int) -> Episode.ID { Episode.ID("guest-\(writer)") }
  /// Occurs in the context of the guest while it exists.
  static func guestWord(_ writer: Int) -> String { "guest\(writer)" }

  static func guest(_ writer: Int, number: Int64) -> Episode {
    Episode(
      id: guestID(writer), taskType: .testing, domain: guestDomain, context: "\(guestWord(writer)) for a moment",
      status: .completed,
      successRate: 1, createdAt: now, completedAt: now, metadata: metadata(number))
  }

  static func pattern(_ number: Int) -> Pattern.Draft {
    Pattern.Draft(.toolSequence, data: patternData(number))
  }

  static func patternData(_ number: Int) -> JSON { ["pattern": .integer(Int64(number))] }

  /// The statement by which the shell increments the counter of an episode.
  static func telling(_ number: Int) -> String {
    """
    UPDATE episodes SET context = 'e\(number)c' || (CAST(substr(context, instr(context, 'c') + 1) AS INTEGER) + 1) \
    || ' changed by the shell' WHERE id = '\(id(number))';
    """
  }
}
