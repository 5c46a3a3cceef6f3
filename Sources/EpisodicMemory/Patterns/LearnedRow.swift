/// A pattern that was found in a domain, as it is kept.
package struct LearnedRow: Sendable {
  package var pattern: Pattern
  package var situation: String
  package var foundThrough: Int64
  /// Examples and counter-examples.
  package var episodes: [Episode.ID]

  package init(pattern: Pattern, situation: String, foundThrough: Int64, episodes: [Episode.ID]) {
    self.pattern = pattern
    self.situation = situation
    self.foundThrough = foundThrough
    self.episodes = episodes
  }
}
