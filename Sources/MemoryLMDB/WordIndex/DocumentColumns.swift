/// The documents of one field of a segment that is being written, by ordinal.
struct DocumentColumns {
  var groups: [UInt64] = []
  var members: [UInt64] = []
  /// Tokens.
  var lengths: [UInt32] = []

  /// Documents of a chunk in the segment.
  static let chunkShift: UInt32 = 12
  static let chunkCount = 1 << Int(chunkShift)
  /// Bytes of a document in its chunk: group, member, length, one column behind the other.
  static let width = 20

  var count: Int { groups.count }

  mutating func reserveCapacity(_ count: Int) {
    groups.reserveCapacity(count)
    members.reserveCapacity(count)
    lengths.reserveCapacity(count)
  }

  mutating func append(group: UInt64, member: UInt64, length: UInt32) {
    groups.append(group)
    members.append(member)
    lengths.append(length)
  }

  func encodedChunk(_ chunk: Int) -> [UInt8] {
    let range = (chunk * Self.chunkCount)..<min(count, (chunk + 1) * Self.chunkCount)
    return [UInt8](unsafeUninitializedCapacity: range.count * Self.width + WordSeal.byteCount) { buffer, filled in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      for (place, index) in range.enumerated() {
        bytes.storeBytes(of: groups[index].littleEndian, toByteOffset: place * 8, as: UInt64.self)
        bytes.storeBytes(of: members[index].littleEndian, toByteOffset: (range.count + place) * 8, as: UInt64.self)
        bytes.storeBytes(of: lengths[index].littleEndian, toByteOffset: range.count * 16 + place * 4, as: UInt32.self)
      }
      filled = range.count * Self.width
    }
  }

  static func chunks(_ count: Int) -> Int { (count + chunkCount - 1) >> Int(chunkShift) }
}
