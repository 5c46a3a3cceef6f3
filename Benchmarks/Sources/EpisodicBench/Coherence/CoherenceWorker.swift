import Episodic
import Foundation

/// The common part of writers and readers: the store, its committed state, and a place for their counters.
struct CoherenceWorker {
  /// Violations that are printed; a broken cache causes thousands.
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

  /// Whether to end: the benchmark says so, or it has ended.
  var isStopped: Bool { tallies.isStopped || getppid() != parent }

  func count(_ count: SharedTallies.Count) { tallies.add(count, place: place) }

  /// Counts a read older than the last commit before it began (I3).
  func report(_ violation: String) {
    count(.violations)
    guard tallies[.violations] <= Self.mostPrinted else { return }
    FileHandle.standardError.write(Data("bench: stale read in place \(place): \(violation)\n".utf8))
  }

  /// Reads an episode and checks that it is no older than `version`.
  func checkEpisode(_ number: Int, notOlderThan version: EpisodeVersion) async throws {
    guard let episode = try await memory.episode(Population.id(number)) else {
      return report("\(Population.id(number)) is there and was not found")
    }
    let found = try EpisodeVersion(episode)
    if found.isOlder(than: version) { report("\(episode.id) has \(found) where \(version) had been committed") }
  }

  /// Reads a guest, which may be inserted or deleted at any time, or recalls it by its fixed word.
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
    let found = guest?.metadataCount
    if let found {
      guard let number = before.number else {
        // It was absent. If nothing was committed since, it still is.
        if try committed.guest(writer).revision == before.revision {
          report("guest \(found) is shown and is not there")
        }
        return
      }
      if found < number { report("guest \(found) is shown where \(number) had come") }
    } else if let number = before.number, try committed.guest(writer).number == number {
      // Each insertion has a higher number, so this one existed all the time.
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

  /// Recalls by a word that only this episode has: the newest of its context or of its steps, which makes the query new, or
  /// that of its first step, which repeats.
  func checkRecall(_ number: Int, by wanted: Wanted) async throws {
    let before = try committed.episode(number)
    let word =
      switch wanted {
      case .context: Population.contextWord(number, shellCount: before.shellCount)
      case .newestStep: Population.stepWord(number, step: before.steps)
      case .firstStep: Population.stepWord(number, step: 1)
      }
    let query = Query(
      text: word, scope: .domain(Population.domain(number)), filter: .init(statuses: [.active, .completed]))
    let hit = try await memory.recall(query).first { $0.episode.id == Population.id(number) }
    if let hit {
      let found = try EpisodeVersion(hit.episode)
      if found.isOlder(than: before) { report("\(word) recalls \(found) where \(before) had been committed") }
    } else if try wanted != .context || committed.episode(number).shellCount == before.shellCount {
      // The word of a step is permanent; that of the context is unchanged, since its counter is.
      report("\(word) is there and was not recalled")
    }
  }

  enum Wanted: CaseIterable { case context, newestStep, firstStep }
}
