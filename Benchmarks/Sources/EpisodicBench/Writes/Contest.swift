/// The same work on both sides.
struct Contest {
  enum Side {
    case library, raw

    /// Who goes first changes from round to round.
    static func order(of round: Int) -> [Side] { round.isMultiple(of: 2) ? [.library, .raw] : [.raw, .library] }
  }

  var library: Series
  var raw: Series

  static var appends: Contest {
    Contest(
      library: Series("append", "memory.append of one step, in a transaction of its own"),
      raw: Series("raw append", "BEGIN IMMEDIATE, one INSERT INTO steps, COMMIT in C"))
  }

  static func appendsOfMany(_ steps: Int) -> Contest {
    Contest(
      library: Series("append of many", "memory.append of \(steps) steps in one transaction"),
      raw: Series("raw append of many", "BEGIN IMMEDIATE, \(steps) INSERT INTO steps, COMMIT in C"))
  }

  static func inserts(batch: Int, steps: Int) -> Contest {
    Contest(
      library: Series("insert", "memory.insert of \(batch) episodes with \(steps) steps each in one transaction"),
      raw: Series("raw insert", "BEGIN IMMEDIATE, the same INSERTs into episodes and steps, COMMIT in C"))
  }

  func report(_ rows: inout [Row], section: String) {
    rows += [Row(library, section: section), Row(raw, section: section)]
  }
}
