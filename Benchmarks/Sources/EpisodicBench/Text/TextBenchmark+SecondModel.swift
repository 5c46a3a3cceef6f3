import CRawSQLite
import Episodic

extension TextBenchmark {
  /// One of this many episodes gets a vector of the second model.
  private static let secondEvery = 10
  private static let secondDimensions = 64
  private static let secondQuestions = 100
  private static let secondRounds = 5

  /// A question by vector that names no space, beside one that does, before and after a second model has vectors.
  func secondModel(
    _ rows: FloatRows, _ store: inout TextStore, _ memory: Memory, _ report: inout Report
  ) async throws {
    let alone = store.making.seconds == nil ? try await spaces("one model", rows, memory) : nil
    try await embedSecond(rows, &store, memory)
    let both = try await spaces("two models", rows, memory)
    for (named, unnamed) in [alone, both].compactMap(\.self) {
      report.rows += [Row(named, section: "spaces"), Row(unnamed, section: "spaces")]
    }
    report.ratios.append(
      Ratio(
        "no space named / named, two models, p50", section: "spaces", both.unnamed.p50, over: both.named.p50,
        target: .atMost(1.1)))
    if let alone {
      report.ratios.append(
        Ratio(
          "no space named, two models / one, p50", section: "spaces", both.unnamed.p50, over: alone.unnamed.p50,
          target: .atMost(1.1)))
    }
  }

  private func spaces(
    _ name: String, _ rows: FloatRows, _ memory: Memory
  ) async throws -> (named: Series, unnamed: Series) {
    var named = Series("\(name), named", "memory.search by vector, limit 10, with the space")
    var unnamed = Series("\(name), not named", "the same without: found by the length of the vector")
    var generator = SeededGenerator(seed: options.seed &+ 3)
    let space = VectorPopulation(rows: options.documents, dimensions: rows.dimensions).space
    let questions = (0..<Self.secondQuestions).map { _ in
      Query(vector: rows.unit(Int(generator.next() % UInt64(options.documents))), scope: .everything)
    }
    for round in -1..<Self.secondRounds {
      for question in questions {
        var withSpace = question
        withSpace.space = space
        let start = raw_now()
        _ = try await memory.search(withSpace)
        let middle = raw_now()
        _ = try await memory.search(question)
        // The first round warms up.
        guard round >= 0 else { continue }
        named.record(nanoseconds: middle - start)
        unnamed.record(since: middle)
      }
    }
    return (named, unnamed)
  }

  /// The first numbers of a row as a vector of another model.
  private func embedSecond(_ rows: FloatRows, _ store: inout TextStore, _ memory: Memory) async throws {
    let batch = 1000 * Self.secondEvery
    var done = store.making.seconds ?? 0
    while done < options.documents {
      progress.show("vectors of a second model", done, of: options.documents)
      let next = min(done + batch, options.documents)
      let drafts = stride(from: done, to: next, by: Self.secondEvery).map { row in
        Embedding.Draft(
          of: NumberedEpisode.id(row), content: "row \(row)", vector: Array(rows[row].prefix(Self.secondDimensions)),
          model: "bench-second")
      }
      _ = try await memory.embed(drafts)
      done = next
      var making = store.making
      making.seconds = done
      try store.update(making)
    }
  }
}
