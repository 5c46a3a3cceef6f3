extension Simulator {
  /// The change feed, which is also what the keys hold: a key's value is the last commit to it, 0 where there is none.
  ///
  /// A commit is a number that is never given twice, whatever is restored in between, and so its own nonce. An odd one
  /// writes key b.
  struct History: Hashable {
    static let capacity: UInt8 = 8

    /// Commits by revision, that of revision 1 in the lowest byte.
    private var commits: UInt64 = 0
    private(set) var count: UInt8 = 0

    /// Where it ends.
    var end: Watermark { watermark(at: count) }

    func watermark(at revision: UInt8) -> Watermark {
      Watermark(revision: revision, nonce: commit(at: revision))
    }

    /// The commit that made a revision; 0 before the first.
    func commit(at revision: UInt8) -> UInt8 {
      revision == 0 ? 0 : UInt8(truncatingIfNeeded: commits >> (8 * (UInt64(revision) - 1)))
    }

    mutating func append(_ commit: UInt8) {
      precondition(count < Self.capacity, "the scenario has too many commits")
      commits |= UInt64(commit) << (8 * UInt64(count))
      count += 1
    }

    /// What restoring a backup does.
    mutating func truncate(to revision: UInt8) {
      commits &= (1 << (8 * UInt64(revision))) - 1
      count = revision
    }

    func answer(to subject: Subject, at revision: UInt8) -> Answer {
      var answer = Answer()
      var revision = revision
      while revision > 0 {
        let commit = commit(at: revision)
        if commit & 1 == 0, answer.a == 0, subject != .b { answer.a = commit }
        if commit & 1 == 1, answer.b == 0, subject != .a { answer.b = commit }
        revision -= 1
      }
      return answer
    }

    /// Whether an answer was right at some moment since `revision` was the last one.
    func holds(_ answer: Answer, to subject: Subject, since revision: UInt8) -> Bool {
      for moment in revision...count where self.answer(to: subject, at: moment) == answer { return true }
      return false
    }
  }
}
