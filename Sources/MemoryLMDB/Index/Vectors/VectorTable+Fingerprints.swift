import ByteCoding
import LMDB

extension VectorTable {
  /// A hash of what the index knows of each vector that is not dead: space, episode, codes and bytes, verified.
  ///
  /// - Complexity: Reads everything.
  func fingerprints(in transaction: borrowing some Transaction & ~Copyable) throws(LMDBError) -> [Int64: UInt64] {
    var fingerprints: [Int64: UInt64] = [:]
    for space in try spaces(in: transaction) {
      let layout = SlabLayout(dimensions: space.dimensions)
      var views: [SlabView] = []
      for slab in space.slabs { views.append(try view(of: slab, layout, in: transaction)) }
      if let tail = try tail(of: space, in: transaction) { views.append(tail) }
      for view in views {
        for slot in 0..<view.count where view.status(slot) != SlabLayout.dead {
          let vector = view.columns.vector(slot)
          guard view.row(slot).isIntact(vector, epoch: epoch), view.isGrouped(slot),
            fingerprints.updateValue(view.fingerprint(slot, model: space.model), forKey: vector) == nil
          else { throw Self.damaged }
        }
      }
      guard views.reduce(0, { $0 + $1.aliveCount }) == space.alive else { throw Self.damaged }
    }
    return fingerprints
  }
}

extension SlabView {
  var aliveCount: Int { (0..<count).count { status($0) != SlabLayout.dead } }

  func fingerprint(_ slot: Int, model: String) -> UInt64 {
    let space = Checksum.of(model, seed: UInt64(layout.dimensions))
    let signs = Checksum.of(code(slot), seed: space ^ UInt64(bitPattern: columns.episode(slot)))
    let row = UnsafeRawBufferPointer(start: rows + slot * layout.rowBytes, count: layout.rowBytes)
    return Checksum.of(row, seed: signs)
  }
}

extension SlabBuffer {
  /// As `VectorTable.fingerprints`, of these.
  func fingerprints(model: String) -> [(vector: Int64, fingerprint: UInt64)] {
    guard count > 0 else { return [] }
    return contiguous().withUnsafeBytes { bytes in
      guard let view = SlabView(layout, count: count, contiguous: bytes) else { return [] }
      return (0..<count).map { (vectors[$0], view.fingerprint($0, model: model)) }
    }
  }
}
