/// A merge that is due.
struct MergePlan: Sendable, Equatable {
  /// Ids of the segments to merge into one; none where only old values are to be deleted.
  let inputs: [UInt32]
  /// Documents that will be read.
  let documents: Int
}
