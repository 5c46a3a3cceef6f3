import EpisodicMemory
import Testing

@testable import MemoryLMDB

@Suite struct `Changed rows` {
  private func step(_ step: Int64, of episode: Int64) -> Change {
    Change(revision: 1, subject: .episode, key: "e", domain: "d", finished: true, row: episode, step: step)
  }

  /// I8: the row of a step that is gone may be given to a step of another episode, in another domain.
  @Test func `a step's row that was reused by another episode is listed for both`() throws {
    let rows = try #require(ChangedRows([step(1, of: 1), step(1, of: 2), step(1, of: 2)]))
    #expect(rows.steps == [.init(row: 1, episode: 1), .init(row: 1, episode: 2)])
    #expect(rows.episodes.isEmpty && rows.emptied.isEmpty)
  }

  @Test func `a deleted episode is listed as changed and emptied, and a change without a row cannot be followed`()
    throws
  {
    let rows = try #require(ChangedRows([step(Change.allSteps, of: 3)]))
    #expect(rows.episodes == [3] && rows.emptied == [3] && rows.steps.isEmpty)
    #expect(ChangedRows([Change(revision: 1, subject: .episode, key: "e", domain: "d", finished: true)]) == nil)
  }

  @Test func `the eighth consecutive snapshot older than the index means that the primary was replaced`() {
    let counter = StaleSnapshotCounter()
    #expect((0..<7).allSatisfy { _ in !counter.isLast(at: 5) })
    #expect(counter.isLast(at: 5))
    #expect((0..<7).allSatisfy { _ in !counter.isLast(at: 5) } && !counter.isLast(at: 6))
  }

  @Test func `after a batch that was cut the next one is smaller, and grows again while rows are small`() {
    let size = AdaptiveBatchSize(maximum: 4096)
    #expect(size.count == 4096)
    size.fitted(40, share: 0.9, wasCut: true)
    #expect(size.count == 40)
    size.fitted(1, share: 0.9, wasCut: false)
    #expect(size.count == 40)
    for _ in 0..<20 { size.fitted(40, share: 0.01, wasCut: false) }
    #expect(size.count == 4096)
  }

  @Test func `a batch that does not fit is cut to the part that fitted, and at least by half`() {
    #expect(AdaptiveBatchSize.smaller(than: 1000, fitting: 100, of: 1000) == 75)
    #expect(AdaptiveBatchSize.smaller(than: 1000, fitting: 990, of: 1000) == 500)
    #expect(AdaptiveBatchSize.smaller(than: 2, fitting: 0, of: 9) == 1)
  }
}
