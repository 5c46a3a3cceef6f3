/// The name of a document. Sorted by field, then group, then member.
struct WordDocument: Hashable, Comparable, Sendable {
  var field: WordField
  /// The unit that is ranked: an episode's row. Not `UInt64.max`, which stands for "no more groups".
  var group: UInt64
  /// 0 for a context, the step's row for a step.
  var member: UInt64

  static func < (a: WordDocument, b: WordDocument) -> Bool {
    (a.field.rawValue, a.group, a.member) < (b.field.rawValue, b.group, b.member)
  }
}
