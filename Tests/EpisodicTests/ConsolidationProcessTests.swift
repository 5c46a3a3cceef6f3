import Episodic
import Foundation
import TestSupport
import Testing

@Suite struct `Consolidation and processes` {
  /// 2000 with EPISODIC_KILLS=2000.
  private static let kills = ProcessInfo.processInfo.environment["EPISODIC_KILLS"].flatMap(Int.init) ?? 25

  @Test func `killed at random moments, every run that ended is one episode with all of its entries (I7)`() async throws
  {
    let directory = try TemporaryDirectory()
    var generator = SeededGenerator(seed: 7)
    var store = directory.file("store-0")
    var ended: [String: Int] = [:]
    for round in 0..<Self.kills {
      // So that a check of everything stays short.
      if round.isMultiple(of: 50) { (store, ended) = (directory.file("store-\(round)"), [:]) }
      let child = try Child("StoreWorker", ["consolidate", store, "k\(round)"], in: directory)
      try await child.waitForLines(Int.random(in: 1...12, using: &generator))
      usleep(UInt32.random(in: 0...5000, using: &generator))
      child.kill()
      for line in try child.lines where line.hasPrefix("ended ") {
        let words = line.split(separator: " ")
        ended[String(words[1])] = Int(words[2])
      }

      let opened = try await AgentStore.open(at: store, options: .manual)
      let report = try await opened.consolidate()
      #expect(report.failures.isEmpty && report.erased == 0)
      var episodes: [String: Int] = [:]
      var page = Episode.Page.Cursor?.none
      repeat {
        let next = try await opened.memory.episodes(in: .everything, after: page, limit: 1000)
        for episode in next.elements { episodes[episode.id.rawValue] = episode.steps.count }
        page = next.next
      } while page != nil
      for (run, entries) in ended { #expect(episodes[run] == entries, "\(run) after kill \(round)") }
      // One may have ended just before the kill, unsaid; no other run is an episode.
      for id in Set(episodes.keys).subtracting(ended.keys) {
        let run = try #require(try await opened.ledger.run(Ledger.Run.ID(id)))
        #expect(run.status.isEnded, "\(id) after kill \(round)")
        ended[id] = episodes[id]
      }
      if round.isMultiple(of: 10) || round == Self.kills - 1 {
        for check in try await opened.memory.check() {
          #expect(check.outcome == .passed, "\(check) after kill \(round)")
        }
      }
      try await opened.close()
    }
  }
}
