import Episodic
import Foundation

/// What writers and readers have in common: the store, what is committed in it, and a place for their counts.
struct CoherenceWorker {
  /// Where the cache is broken there is no end of violations; the first ones say enough.
  private static let mostPrinted = 20

  let memory: Memory
  let committed: Committed
  let tallies: SharedTallies
  let place: Int
  let writers: Int
  private let parent = getppid()

  init(store: String, tallies: String, place: Int, writers: Int) async throws {
    var options = Memory.OpenOptions()
    options.create = false
    options.durability = .normal
    memory = try await Memory.open(at: store, options: options)
    committed = try Committed(in: store)
    self.tallies = try SharedTallies(path: tallies)
    self.place = place
    self.writers = writers
  }

  /// Whether to end: we are told so, or nobody is left to tell us.
  var isStopped: Bool { tallies.isStopped || getppid() != parent }

  func count(_ count: SharedTallies.Count) { tallies.add(count, place: place) }

  /// Counts a read that showed something older than what had been committed before it began (I3).
  func report(_ violation: String) {
    count(.violations)
    guard tallies[.violations] <= Self.mostPrinted else { return }
    FileHandle.standardError.write(Data("bench: stale read in place \(place): \(violation)\n".utf8))
  }

  /// Reads an episode and sees that it is no older than `version`.
  func checkEpisode(_ number: Int, notOlderThan version: EpisodeVersion) async throws {
    guard let episode = try await memory.episode(Population.id(number)) else {
      return report("\(Population.id(number)) is there and was not found")
    }
    let found = try EpisodeVersion(episode)
    if found.isOlder(than: version) { report("\(episode.id) has \(found) where \(version) had been committed") }
  }

  /// Reads a guest, which may come and go at any time, or asks for the word that is always in it.
  func checkGuest(_ writer: Int, byRecall: Bool = false) async throws {
    let id = Population.guestID(writer)
    let before = try committed.guest(writer)
    let guest =
      if byRecall {
        try await memory.recall(
          Query(text: Population.guestWord(writer), scope: .domain(Population.guestDomain))
        ).first { $0.episode.id == id }?.episode
      } else {
        try await memory.episode(id)
      }
    let found = guest?.noted
    if let found {
      guard let number = before.number else {
        // It was away. If nothing at all was committed since, it still is.
        if try committed.guest(writer).revision == before.revision {
          report("guest \(found) is shown and is not there")
        }
        return
      }
      if found < number { report("guest \(found) is shown where \(number) had come") }
    } else if let number = before.number, try committed.guest(writer).number == number {
      // Every time it comes it has a higher number, so this one was there all along.
      report("guest \(number) is there and was not found")
    }
  }

  func checkPattern(_ number: Int) async throws {
    let uses = try committed.patternUses(number)
    let pattern = try await memory.pattern(.toolSequence, data: Population.patternData(number))
    guard let pattern else { return report("pattern \(number) is there and was not found") }
    if pattern.usageCount < uses {
      report("pattern \(number) has \(pattern.usageCount) uses where \(uses) had been committed")
    }
  }

  /// Asks for a word that only this episode has: the newest of its context or of its steps, which makes the question new
  /// as well, or that of its first step, which does not.
  func checkRecall(_ number: Int, by wanted: Wanted) async throws {
    let before = try committed.episode(number)
    let word =
      switch wanted {
      case .context: Population.contextWord(number, told: before.told)
      case .newestStep: Population.stepWord(number, step: before.steps)
      case .firstStep: Population.stepWord(number, step: 1)
      }
    let query = Query(
      text: word, scope: .domain(Population.domain(number)), filter: .init(statuses: [.active, .completed]))
    let hit = try await memory.recall(query).first { $0.episode.id == Population.id(number) }
    if let hit {
      let found = try EpisodeVersion(hit.episode)
      if found.isOlder(than: before) { report("\(word) recalls \(found) where \(before) had been committed") }
    } else if try wanted != .context || committed.episode(number).told == before.told {
      // The word of a step stays; that of the context stayed, since its counter did.
      report("\(word) is there and was not recalled")
    }
  }

  enum Wanted: CaseIterable { case context, newestStep, firstStep }
}
