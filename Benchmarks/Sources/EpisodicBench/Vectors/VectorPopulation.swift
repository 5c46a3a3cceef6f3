import Episodic

/// One episode per row, and the filters over them.
struct VectorPopulation {
  static let model = "bench"

  let rows: Int
  let dimensions: Int

  var space: EmbeddingSpace { EmbeddingSpace(model: Self.model, dimensions: dimensions) }

  func episode(_ row: Int) -> Episode { NumberedEpisode.make(row, context: "row \(row)") }

  func draft(_ row: Int, _ vector: [Float]) -> Embedding.Draft {
    Embedding.Draft(of: NumberedEpisode.id(row), content: "row \(row)", vector: vector, model: Self.model)
  }

  /// Each kind at 10 % and at 1 %.
  var filters: [VectorFilter] {
    [Portion.tenth, .hundredth].flatMap { portion in
      let span = span(of: portion)
      let times = Episode.Filter(
        after: NumberedEpisode.moment(span.lowerBound), before: NumberedEpisode.moment(span.upperBound))
      return [
        VectorFilter("domain", portion, scope: .domain(portion.name), rows: rows { Portion.domain($0) == portion }),
        VectorFilter(
          "task type", portion, filter: Episode.Filter(taskType: TaskType(portion.name)),
          rows: rows { Portion.taskType($0) == portion }),
        VectorFilter("time", portion, filter: times, rows: rows { span.contains($0) }),
      ]
    }
  }

  private func rows(_ passes: (Int) -> Bool) -> [UInt32] { (0..<rows).filter(passes).map { UInt32($0) } }

  /// The latest tenth; a hundredth from the middle.
  private func span(of portion: Portion) -> Range<Int> {
    portion == .tenth ? rows - rows / 10..<rows : rows / 2..<rows / 2 + max(1, rows / 100)
  }
}

/// A filter, and the rows that pass it.
struct VectorFilter {
  let name: String
  /// The target: the maximum of its median over the unfiltered one.
  let mostOfUnfiltered: Double
  let scope: Query.Scope
  let filter: Episode.Filter
  let rows: [UInt32]

  init(
    _ kind: String, _ portion: Portion, scope: Query.Scope = .everything, filter: Episode.Filter = .init(),
    rows: [UInt32]
  ) {
    name = "\(portion == .tenth ? "10" : "1") % by \(kind)"
    mostOfUnfiltered = portion == .tenth ? 0.5 : 0.2
    self.scope = scope
    self.filter = filter
    self.rows = rows
  }
}
