import Episodic

/// Episodes without steps that are known by a number, each a second later than the one before.
///
/// Domain and task type are those of its portions.
enum NumberedEpisode {
  private static let digits = 10
  private static let firstMoment: Int64 = 1_750_000_000_000

  static func make(_ number: Int, context: String) -> Episode {
    let moment = moment(number)
    return Episode(
      id: id(number), taskType: TaskType(Portion.taskType(number).name), domain: Portion.domain(number).name,
      context: context, status: .completed, successRate: 1, createdAt: moment, completedAt: moment)
  }

  static func id(_ number: Int) -> Episode.ID {
    let text = String(number)
    return Episode.ID("v" + String(repeating: "0", count: max(0, digits - text.count)) + text)
  }

  /// - Throws: Where it is no episode of this kind.
  static func number(of id: Episode.ID) throws -> Int {
    guard let number = Int(id.rawValue.dropFirst()) else { throw BenchError("\(id) is no episode of the benchmark") }
    return number
  }

  static func moment(_ number: Int) -> Timestamp {
    Timestamp(milliseconds: firstMoment + Int64(number) * 1000)
  }
}
