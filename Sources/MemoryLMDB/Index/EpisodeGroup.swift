/// Episodes as groups of the word index: the later a row, the smaller its group.
///
/// The word index visits groups in ascending order, and of equal scores it keeps the first and passes over the others
/// unseen. Counted this way the first is the newest attempt at a task, which is what an answer shows; counted upwards
/// every one of a million equal ones would have to be looked at to find the last.
enum EpisodeGroup {
  /// - Parameter row: Of an episode, from 1.
  static func of(row: Int64) -> UInt64 { ~UInt64(bitPattern: row) }

  static func row(of group: UInt64) -> Int64 { Int64(bitPattern: ~group) }
}
