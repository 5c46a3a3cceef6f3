import EpisodicMemory
import Testing

@testable import MemoryLMDB

@Suite struct `Changed rows` {
  private func step(_ step: Int64, of episode: Int64) -> Change {
    Change(revision: 1, subject: .episode, key: "e", domain: "d", finished: true, row: episode, step: step)
  }

  /// I8: the row of a step that is gone may be given to a step of another episode, in another domain.
  @Test func `a step's row that went from one episode to another is named for both`() throws {
    let rows = try #require(ChangedRows([step(1, of: 1), step(1, of: 2), step(1, of: 2)]))
    #expect(rows.steps == [.init(row: 1, episode: 1), .init(row: 1, episode: 2)])
    #expect(rows.episodes.isEmpty && rows.emptied.isEmpty)
  }

  @Test func `an episode that went is changed and emptied, and a change without a row cannot be followed`() throws {
    let rows = try #require(ChangedRows([step(Change.allSteps, of: 3)]))
    #expect(rows.episodes == [3] && rows.emptied == [3] && rows.steps.isEmpty)
    #expect(ChangedRows([Change(revision: 1, subject: .episode, key: "e", domain: "d", finished: true)]) == nil)
  }

  @Test func `a snapshot that is older once is waited for, and one after another means that the primary went back`() {
    let refusals = Refusals()
    #expect((0..<7).allSatisfy { _ in !refusals.isLast(at: 5) })
    #expect(refusals.isLast(at: 5))
    #expect((0..<7).allSatisfy { _ in !refusals.isLast(at: 5) } && !refusals.isLast(at: 6))
  }

  @Test func `a step takes fewer rows where they are long, and more where they are short`() {
    let pace = Pace()
    let first = pace.rows
    for _ in 0..<20 { pace.took(bytes: 1000) }
    #expect(pace.rows > first)
    let most = pace.rows
    pace.took(bytes: 1 << 30)
    #expect(pace.rows == most / 2)
    for _ in 0..<20 { pace.took(bytes: 1 << 30) }
    #expect(pace.rows == first)
  }
}
