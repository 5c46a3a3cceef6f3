/// One of the two corpora of words; each has statistics of its own.
enum WordField: UInt8, CaseIterable, Sendable {
  /// What an episode is about: one document a group.
  case context = 0
  /// What was done in it: a document a step.
  case steps = 1
}
