import Episodic

/// Episodes without steps, identified by a number, one second apart.
///
/// Domain and task type are those of its portions.
enum NumberedEpisode {
  private static let digits = 10
  private static let firstMoment: Int64 = 1_750_000_000_000

  /// - Parameter domain: `nil` for that of its portion.
  static func make(_ number: Int, context: String, session: String? = nil, domain: String? = nil) -> Episode {
    let moment = moment(number)
    return Episode(
      id: id(number), taskType: TaskType(Portion.taskType(number).name), domain: domain ?? Portion.domain(number).name,
      session: session, context: context, status: .completed, successRate: 1, createdAt: moment, completedAt: moment)
  }

  static func id(_ number: Int) -> Episode.ID {
    let text = String(number)
    return Episode.ID("v" + String(repeating: "0", count: max(0, digits - text.count)) + text)
  }

  /// - Throws: If the id is not of this kind.
  static func number(of id: Episode.ID) throws -> Int {
    guard let number = Int(id.rawValue.dropFirst()) else { throw BenchError("\(id) is no episode of the benchmark") }
    return number
  }

  static func moment(_ number: Int) -> Timestamp {
    Timestamp(milliseconds: firstMoment + Int64(number) * 1000)
  }
}

/// The part of a large set that an episode belongs to: a tenth, a hundredth, or the rest, each scattered over the set.
enum Portion: String {
  case most, tenth, hundredth

  /// Deterministic in number and salt; portions of different salts are independent.
  init(_ number: Int, salt: UInt64) {
    var generator = SeededGenerator(seed: UInt64(number) << 8 | salt)
    self =
      switch generator.next() % 100 {
      case 0: .hundredth
      case 1...10: .tenth
      default: .most
      }
  }

  var name: String { "bench-" + rawValue }

  static func domain(_ number: Int) -> Portion { Portion(number, salt: 1) }
  static func taskType(_ number: Int) -> Portion { Portion(number, salt: 2) }
}
