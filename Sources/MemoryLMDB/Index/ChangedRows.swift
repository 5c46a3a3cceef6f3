import EpisodicMemory

/// What a stretch of the change feed names, each row once.
struct ChangedRows {
  /// Rows of episodes that came, changed or went.
  private(set) var episodes: [Int64] = []
  /// Of those, the ones that went at least once, and all their steps with them.
  private(set) var emptied: [Int64] = []
  /// Steps that came, changed or went. A row may be given to a step of another episode once its own is gone.
  private(set) var steps: Set<Step> = []
  private(set) var vectors: [Int64] = []

  /// Of the changes.
  let changes: Int
  /// Of the rows that they name.
  var count: Int { episodes.count + steps.count + vectors.count }

  struct Step: Hashable {
    let row: Int64
    let episode: Int64
  }

  /// - Returns: `nil` where a change does not say which row it is about: it was written before the feed did.
  init?(_ changes: [Change]) {
    self.changes = changes.count
    var episodes: Set<Int64> = []
    var emptied: Set<Int64> = []
    var vectors: Set<Int64> = []
    for change in changes {
      switch (change.subject, change.row, change.step) {
      case (.pattern, _, _): continue
      case (_, nil, _): return nil
      case (.embedding, let row?, _): vectors.insert(row)
      case (.episode, let row?, nil): episodes.insert(row)
      case (.episode, let row?, Change.allSteps?):
        episodes.insert(row)
        emptied.insert(row)
      case (.episode, let row?, let step?): steps.insert(Step(row: step, episode: row))
      }
    }
    self.episodes = episodes.sorted()
    self.emptied = emptied.sorted()
    self.vectors = vectors.sorted()
  }
}
