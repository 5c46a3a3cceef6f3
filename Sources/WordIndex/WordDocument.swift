/// What a document is to its group; each field is a corpus with statistics of its own.
package enum WordField: UInt8, CaseIterable, Sendable {
  /// At most one document a group, with member 0.
  case parent = 0
  /// Any number of documents a group, told apart by member.
  case child = 1
}

/// The name of a document; sorted by field, then group, then member.
package struct WordDocument: Hashable, Comparable, Sendable {
  package var field: WordField
  /// The unit that is ranked. Not `UInt64.max`, which marks the end of a list.
  package var group: UInt64
  package var member: UInt64

  package init(field: WordField, group: UInt64, member: UInt64 = 0) {
    self.field = field
    self.group = group
    self.member = member
  }

  package static func < (a: WordDocument, b: WordDocument) -> Bool {
    (a.field.rawValue, a.group, a.member) < (b.field.rawValue, b.group, b.member)
  }
}
