import ByteCoding

/// What is known of each vector of a slab besides the vector, column by column:
/// row Int64, episode Int64, creation of the episode Int64, domain UInt32, session UInt32, task type UInt32, then the low
/// bytes of session and of task type, which a filter looks at first.
struct SlabColumns {
  static let bytesPerVector = 3 * 8 + 3 * 4 + 2

  let count: Int
  let base: UnsafeRawPointer

  var vectors: UnsafeRawPointer { base }
  var episodes: UnsafeRawPointer { base + 8 * count }
  var creations: UnsafeRawPointer { base + 16 * count }
  var domains: UnsafeRawPointer { base + 24 * count }
  var sessions: UnsafeRawPointer { base + 28 * count }
  var tasks: UnsafeRawPointer { base + 32 * count }
  var sessionBytes: UnsafeRawPointer { base + 36 * count }
  var taskBytes: UnsafeRawPointer { base + 37 * count }

  func vector(_ slot: Int) -> Int64 { Self.integer(vectors, slot) }
  func episode(_ slot: Int) -> Int64 { Self.integer(episodes, slot) }
  func attributes(_ slot: Int, status: UInt8) -> NamedAttributes {
    NamedAttributes(
      domain: Self.name(domains, slot), session: Self.name(sessions, slot), task: Self.name(tasks, slot),
      status: status, createdAt: Self.integer(creations, slot))
  }

  /// The slot of a vector, by binary search; `nil` where it is not in the slab.
  func slot(of vector: Int64) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self.vector(middle) < vector { low = middle + 1 } else { high = middle }
    }
    return low < count && self.vector(low) == vector ? low : nil
  }

  private static func integer(_ column: UnsafeRawPointer, _ slot: Int) -> Int64 {
    column.integer(at: 8 * slot)
  }

  private static func name(_ column: UnsafeRawPointer, _ slot: Int) -> UInt32 {
    column.integer(at: 4 * slot)
  }
}
