import ByteCoding
import EpisodicMemory
import LMDB

extension VectorTable {
  /// - Complexity: A tail's worth of bytes for a single vector, and now and then a merge: each vector is copied a number of
  ///   times that grows with the logarithm of a slab.
  func apply(_ changes: VectorChanges, in transaction: inout WriteTransaction) throws(LMDBError) {
    guard !changes.isEmpty else { return }
    var spaces = try spaces(in: transaction)
    for space in changes.arrivals.keys.sorted(by: { ($0.model, $0.dimensions) < ($1.model, $1.dimensions) })
    where !spaces.contains(where: { $0.model == space.model && $0.dimensions == space.dimensions }) {
      spaces.append(SpaceRecord(number: UInt64(spaces.count) + 1, model: space.model, dimensions: space.dimensions))
    }
    for var space in spaces {
      let arrivals = changes.arrivals[.init(model: space.model, dimensions: space.dimensions)]
      try mark(changes, in: &space, &transaction)
      try insert(arrivals, changes, into: &space, &transaction)
      try put(space, &transaction)
    }
  }

  /// Rewrites slabs with many dead vectors, the worst first.
  ///
  /// - Returns: Whether there are more.
  func compact(in transaction: inout WriteTransaction) throws(LMDBError) -> Bool {
    for var space in try spaces(in: transaction) {
      let worn = space.slabs.filter { 4 * $0.alive <= 3 * $0.count }.sorted { $0.alive < $1.alive }
      guard let worst = worn.first else { continue }
      var buffer = SlabBuffer(SlabLayout(dimensions: space.dimensions))
      try absorb(worst, from: &space, into: &buffer, &transaction)
      try write(buffer, domain: worst.domain, into: &space, &transaction)
      try put(space, &transaction)
      return worn.count > 1
    }
    return false
  }

  // MARK: Departures and statuses

  /// Marks vectors of slabs as dead, or sets their statuses.
  private func mark(
    _ changes: VectorChanges, in space: inout SpaceRecord, _ transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let rows = (changes.departures.union(changes.statuses.keys)).sorted()
    guard let first = rows.first, let last = rows.last else { return }
    let layout = SlabLayout(dimensions: space.dimensions)
    for (index, slab) in space.slabs.enumerated() where slab.vectors.overlaps(first...last) {
      let view = try view(of: slab, layout, in: transaction)
      var statuses: [UInt8]?
      var died = 0
      for row in rows[rows.partition(by: slab.vectors.lowerBound)...] {
        guard row <= slab.vectors.upperBound else { break }
        guard let slot = view.columns.slot(of: row), view.status(slot) != SlabLayout.dead else { continue }
        let isDeparting = changes.departures.contains(row)
        let status = isDeparting ? SlabLayout.dead : changes.statuses[row] ?? view.status(slot)
        if statuses == nil { statuses = Array(UnsafeRawBufferPointer(start: view.statuses, count: view.count)) }
        statuses?[slot] = status
        if isDeparting { died += 1 } else { space.slabs[index].statuses |= 1 << UInt32(status) }
      }
      guard let statuses else { continue }
      let key = Self.slab(slab.id, .statuses)
      try transaction.put(sealed(statuses, key).span.bytes, for: key, in: database)
      space.slabs[index].alive -= died
    }
  }

  // MARK: Arrivals

  private func insert(
    _ arrivals: SlabBuffer?, _ changes: VectorChanges, into space: inout SpaceRecord,
    _ transaction: inout WriteTransaction
  ) throws(LMDBError) {
    var tail = SlabBuffer(SlabLayout(dimensions: space.dimensions))
    var isChanged = false
    if let view = try self.tail(of: space, in: transaction) {
      for slot in 0..<view.count {
        let vector = view.columns.vector(slot)
        if changes.departures.contains(vector) {
          isChanged = true
          continue
        }
        tail.append(slot, of: view)
        if let status = changes.statuses[vector] {
          tail.setStatus(status, at: tail.count - 1)
          isChanged = true
        }
      }
    }
    if let arrivals, arrivals.count > 0 {
      isChanged = true
      for index in 0..<arrivals.count { space.note(norm: arrivals.norm(index)) }
      if tail.count == 0 {
        tail = arrivals
      } else {
        for index in 0..<arrivals.count { tail.append(index, of: arrivals) }
      }
    }
    guard isChanged else { return }
    let key = Self.tail(space.number)
    guard tail.count > tail.layout.tailCapacity else {
      space.tailCount = tail.count
      if tail.count == 0 {
        try transaction.delete(key, in: database)
      } else {
        try transaction.put(sealed(tail.contiguous(), key).span.bytes, for: key, in: database)
      }
      return
    }
    space.tailCount = 0
    try transaction.delete(key, in: database)
    try spread(tail, over: &space, &transaction)
  }

  /// Makes slabs of vectors, domain by domain, together with slabs that are not much larger: so that there are few, and
  /// each vector is copied few times.
  private func spread(
    _ buffer: SlabBuffer, over space: inout SpaceRecord, _ transaction: inout WriteTransaction
  ) throws(LMDBError) {
    for (domain, indexes) in Dictionary(grouping: 0..<buffer.count, by: { buffer.attributes[$0].domain })
      .sorted(by: { $0.key < $1.key })
    {
      var group = buffer
      if indexes.count < buffer.count {
        group = SlabBuffer(buffer.layout)
        for index in indexes { group.append(index, of: buffer) }
      }
      while let slab = space.slabs.filter({
        $0.domain == domain && Self.isMergeable($0, with: group.count, capacity: buffer.layout.capacity)
      })
      .min(by: { $0.count < $1.count }) {
        try absorb(slab, from: &space, into: &group, &transaction)
      }
      try write(group, domain: domain, into: &space, &transaction)
    }
  }

  private static func isMergeable(_ slab: SpaceRecord.Slab, with count: Int, capacity: Int) -> Bool {
    slab.count < capacity && slab.count <= 2 * count
  }

  /// Moves what is alive in a slab into a buffer, and removes the slab.
  private func absorb(
    _ slab: SpaceRecord.Slab, from space: inout SpaceRecord, into buffer: inout SlabBuffer,
    _ transaction: inout WriteTransaction
  ) throws(LMDBError) {
    buffer.append(alive: try view(of: slab, buffer.layout, in: transaction))
    space.slabs.removeAll { $0.id == slab.id }
    for part in Part.allCases { try transaction.delete(Self.slab(slab.id, part), in: database) }
  }

  private func write(
    _ buffer: SlabBuffer, domain: UInt32, into space: inout SpaceRecord, _ transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let order = (0..<buffer.count).sorted { buffer.vectors[$0] < buffer.vectors[$1] }
    let capacity = buffer.layout.capacity
    for start in stride(from: 0, to: order.count, by: capacity) {
      let slice = order[start..<min(start + capacity, order.count)]
      guard let first = slice.first, let last = slice.last else { continue }
      let attributes = slice.map { buffer.attributes[$0] }
      let created = attributes.map(\.createdAt)
      guard let earliest = created.min(), let latest = created.max() else { continue }
      let id = try nextSlab(&transaction)
      let parts = buffer.parts(slice)
      for (part, content) in [
        (Part.codes, parts.codes), (.rows, parts.rows), (.columns, parts.columns), (.statuses, parts.statuses),
      ] {
        let key = Self.slab(id, part)
        let value = part == .rows ? content : sealed(content, key)
        try transaction.put(value.span.bytes, for: key, in: database)
      }
      space.slabs.append(
        .init(
          id: id, domain: domain, count: slice.count, alive: slice.count,
          statuses: attributes.reduce(0) { $0 | 1 << UInt32($1.status) },
          largestName: attributes.reduce(0) { max($0, $1.session, $1.task) },
          vectors: buffer.vectors[first]...buffer.vectors[last], created: earliest...latest))
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
  /// The first place whose element is not below `bound`; the array is sorted.
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
