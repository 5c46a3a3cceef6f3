import ByteCoding
package import LMDB
import Vectors

/// Changes of a table for one transaction.
package struct VectorChanges {
  /// Ids of rows to remove. A row that is added may replace one of these.
  package var removed: Set<Int64> = []
  /// States to set, by row id.
  package var states: [Int64: UInt8] = [:]
  private(set) var added: [Space: SlabBuffer] = [:]
  /// Of the added rows, encoded.
  package private(set) var byteCount = 0
  private var encoders: [Int: CodeEncoder] = [:]

  struct Space: Hashable {
    let name: String
    let dimensions: Int
  }

  package init() {}

  var isEmpty: Bool { removed.isEmpty && states.isEmpty && added.isEmpty }

  /// Encodes and adds a row. Components that are no vector (see `Vector`) are left out: no query could find them.
  ///
  /// - Parameter components: Little-endian float32, at any alignment.
  /// - Parameter generation: As of the table.
  package mutating func add(
    id: Int64, group: Int64, _ attributes: RowAttributes, space name: String, dimensions: Int,
    components: UnsafeRawBufferPointer, generation: UInt64
  ) {
    guard Self.byteCount(of: components, dimensions: dimensions) > 0 else { return }
    let encoder = encoders[dimensions] ?? CodeEncoder(dimensions: dimensions)
    encoders[dimensions] = encoder
    let layout = SlabLayout(dimensions: dimensions)
    byteCount += layout.bytesPerVector
    added[Space(name: name, dimensions: dimensions), default: SlabBuffer(layout)].append(
      id: id, group: group, attributes, components: components, encoder, generation: generation)
  }

  /// Bytes of a row when it is added; 0 if it would be left out for its length.
  package static func byteCount(of components: UnsafeRawBufferPointer, dimensions: Int) -> Int {
    guard Vector.supportedDimensions.contains(dimensions), components.count == 4 * dimensions else { return 0 }
    return SlabLayout(dimensions: dimensions).bytesPerVector
  }
}

extension VectorTable {
  /// Removes rows, sets states and adds rows, in this order.
  ///
  /// - Complexity: Rewrites the tail, of at most 256 KiB. Merges copy each vector O(log *n*) times, *n* the vectors of a slab.
  package func apply(_ changes: VectorChanges, in transaction: inout WriteTransaction) throws(LMDBError) {
    guard !changes.isEmpty else { return }
    var spaces = try spaces(in: transaction)
    for space in changes.added.keys.sorted(by: { ($0.name, $0.dimensions) < ($1.name, $1.dimensions) })
    where !spaces.contains(where: { $0.name == space.name && $0.dimensions == space.dimensions }) {
      spaces.append(SpaceRecord(number: UInt64(spaces.count) + 1, name: space.name, dimensions: space.dimensions))
    }
    for var space in spaces {
      let added = changes.added[.init(name: space.name, dimensions: space.dimensions)]
      var removed = try mark(changes, in: &space, &transaction)
      removed += try insert(added, changes, into: &space, &transaction)
      try groups.remove(removed, space: space.number, in: &transaction)
      if let added { try groups.add(added, space: space.number, in: &transaction) }
      try put(space, &transaction)
    }
  }

  /// Rewrites the slab with the fewest vectors alive among those with a quarter or more dead.
  ///
  /// - Returns: Whether there are more of them.
  package func compact(in transaction: inout WriteTransaction) throws(LMDBError) -> Bool {
    for var space in try spaces(in: transaction) {
      let sparse = space.slabs.filter { 4 * $0.alive <= 3 * $0.count }.sorted { $0.alive < $1.alive }
      guard let worst = sparse.first else { continue }
      var buffer = SlabBuffer(SlabLayout(dimensions: space.dimensions))
      try absorb(worst, from: &space, into: &buffer, &transaction)
      try write(buffer, partition: worst.partition, into: &space, &transaction)
      try put(space, &transaction)
      return sparse.count > 1
    }
    return false
  }

  // MARK: Removals and states

  /// Marks rows of slabs as dead, or sets their states.
  ///
  /// - Returns: The rows that died.
  private func mark(
    _ changes: VectorChanges, in space: inout SpaceRecord, _ transaction: inout WriteTransaction
  ) throws(LMDBError) -> [(id: Int64, group: Int64)] {
    var removed: [(id: Int64, group: Int64)] = []
    let ids = changes.removed.union(changes.states.keys).sorted()
    guard let first = ids.first, let last = ids.last else { return [] }
    let layout = SlabLayout(dimensions: space.dimensions)
    for (index, slab) in space.slabs.enumerated() where slab.ids.overlaps(first...last) {
      let view = try view(of: slab, layout, in: transaction)
      var states: [UInt8]?
      var died = 0
      for id in ids[ids.partition(by: slab.ids.lowerBound)...] {
        guard id <= slab.ids.upperBound else { break }
        guard let slot = view.columns.slot(of: id), view.state(slot) != SlabLayout.dead else { continue }
        let isRemoved = changes.removed.contains(id)
        let state = isRemoved ? SlabLayout.dead : changes.states[id] ?? view.state(slot)
        if states == nil { states = Array(UnsafeRawBufferPointer(start: view.states, count: view.count)) }
        states?[slot] = state
        if isRemoved {
          died += 1
          removed.append((id, view.columns.group(slot)))
        } else {
          space.slabs[index].states |= 1 << UInt32(state)
        }
      }
      guard let states else { continue }
      let key = Self.slab(slab.id, .states)
      try transaction.put(sealed(states, key).span.bytes, for: key, in: database)
      space.slabs[index].alive -= died
    }
    return removed
  }

  // MARK: Additions

  /// - Returns: The rows that were removed from the tail.
  private func insert(
    _ added: SlabBuffer?, _ changes: VectorChanges, into space: inout SpaceRecord,
    _ transaction: inout WriteTransaction
  ) throws(LMDBError) -> [(id: Int64, group: Int64)] {
    var removed: [(id: Int64, group: Int64)] = []
    var tail = SlabBuffer(SlabLayout(dimensions: space.dimensions))
    var isChanged = false
    if let view = try self.tail(of: space, in: transaction) {
      for slot in 0..<view.count {
        let id = view.columns.id(slot)
        if changes.removed.contains(id) {
          isChanged = true
          removed.append((id, view.columns.group(slot)))
          continue
        }
        tail.append(slot, of: view)
        if let state = changes.states[id] {
          tail.setState(state, at: tail.count - 1)
          isChanged = true
        }
      }
    }
    if let added, added.count > 0 {
      isChanged = true
      for index in 0..<added.count { space.include(norm: added.norm(index)) }
      if tail.count == 0 {
        tail = added
      } else {
        for index in 0..<added.count { tail.append(index, of: added) }
      }
    }
    guard isChanged else { return [] }
    let key = Self.tail(space.number)
    guard tail.count > tail.layout.tailCapacity else {
      space.tailCount = tail.count
      if tail.count == 0 {
        try transaction.delete(key, in: database)
      } else {
        try transaction.put(sealed(tail.contiguous(), key).span.bytes, for: key, in: database)
      }
      return removed
    }
    space.tailCount = 0
    try transaction.delete(key, in: database)
    try spread(tail, over: &space, &transaction)
    return removed
  }

  /// Writes vectors as slabs, partition by partition, merged with slabs of at most twice their count: that keeps slabs few
  /// and copies each vector few times.
  private func spread(
    _ buffer: SlabBuffer, over space: inout SpaceRecord, _ transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for (partition, indexes) in Dictionary(grouping: 0..<buffer.count, by: { buffer.attributes[$0].partition })
      .sorted(by: { $0.key < $1.key })
    {
      var group = buffer
      if indexes.count < buffer.count {
        group = SlabBuffer(buffer.layout)
        for index in indexes { group.append(index, of: buffer) }
      }
      while let slab = space.slabs.filter({
        $0.partition == partition && Self.isMergeable($0, with: group.count, capacity: buffer.layout.capacity)
      })
      .min(by: { $0.count < $1.count }) {
        try absorb(slab, from: &space, into: &group, &transaction)
      }
      try write(group, partition: partition, into: &space, &transaction)
    }
  }

  private static func isMergeable(_ slab: SpaceRecord.Slab, with count: Int, capacity: Int) -> Bool {
    slab.count < capacity && slab.count <= 2 * count
  }

  /// Moves the vectors of a slab that are alive into a buffer, and deletes the slab.
  private func absorb(
    _ slab: SpaceRecord.Slab, from space: inout SpaceRecord, into buffer: inout SlabBuffer,
    _ transaction: inout WriteTransaction
  ) throws(LMDBError) {
    buffer.append(alive: try view(of: slab, buffer.layout, in: transaction))
    space.slabs.removeAll { $0.id == slab.id }
    for part in Part.allCases { try transaction.delete(Self.slab(slab.id, part), in: database) }
  }

  private func write(
    _ buffer: SlabBuffer, partition: UInt32, into space: inout SpaceRecord, _ transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let order = (0..<buffer.count).sorted { buffer.ids[$0] < buffer.ids[$1] }
    let capacity = buffer.layout.capacity
    for start in stride(from: 0, to: order.count, by: capacity) {
      let slice = order[start..<min(start + capacity, order.count)]
      guard let first = slice.first, let last = slice.last else { continue }
      let attributes = slice.map { buffer.attributes[$0] }
      let times = attributes.map(\.time)
      guard let earliest = times.min(), let latest = times.max() else { continue }
      let id = try nextSlab(&transaction)
      let parts = buffer.parts(slice)
      for (part, content) in [
        (Part.codes, parts.codes), (.rows, parts.rows), (.columns, parts.columns), (.states, parts.states),
      ] {
        let key = Self.slab(id, part)
        let value = part == .rows ? content : sealed(content, key)
        try transaction.put(value.span.bytes, for: key, in: database)
      }
      space.slabs.append(
        .init(
          id: id, partition: partition, count: slice.count, alive: slice.count,
          states: attributes.reduce(0) { $0 | 1 << UInt32($1.state) },
          largestLabel: attributes.reduce(0) { max($0, $1.series, $1.kind) },
          ids: buffer.ids[first]...buffer.ids[last], times: earliest...latest))
    }
  }

  private func nextSlab(_ transaction: inout WriteTransaction) throws(LMDBError) -> UInt64 {
    var next: UInt64 = 1
    if let value = try transaction.get(Self.counter, in: database) {
      next = try value.withUnsafeBytes { bytes throws(LMDBError) in
        let content = try open(bytes, Self.counter)
        guard content.count == 8 else { throw Self.damaged }
        return content.integer(at: 0, as: UInt64.self)
      }
    }
    guard next < 1 << 50 else { throw Self.damaged }
    let content = withUnsafeBytes(of: (next + 1).littleEndian) { Array($0) }
    try transaction.put(sealed(content, Self.counter).span.bytes, for: Self.counter, in: database)
    return next
  }

  private func put(_ space: SpaceRecord, _ transaction: inout WriteTransaction) throws(LMDBError) {
    let key = Self.space(space.number)
    try transaction.put(sealed(space.encoded(), key).span.bytes, for: key, in: database)
  }
}

extension [Int64] {
  /// The first index whose element is not below `bound`; the array is sorted.
  fileprivate func partition(by bound: Int64) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < bound { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
