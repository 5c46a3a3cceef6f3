import LMDB

/// The next living document of an input.
struct MergeHead {
  let input: Int
  var ordinal: UInt32 = 0
  var group: UInt64 = 0
  var member: UInt64 = 0
  var length: UInt32 = 0

  init(input: Int) { self.input = input }

  func precedes(_ other: MergeHead) -> Bool {
    group != other.group ? group < other.group : member < other.member
  }

  /// - Returns: Whether there is one.
  mutating func settle(_ reader: FieldReader) throws(LMDBError) -> Bool {
    while Int(ordinal) < reader.count {
      let chunk = try reader.chunk(ordinal)
      let index = FieldReader.place(ordinal)
      if !chunk.isDead(index) {
        group = chunk.group(index)
        member = chunk.member(index)
        length = chunk.length(index)
        return true
      }
      ordinal += 1
    }
    return false
  }
}
