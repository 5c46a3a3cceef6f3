import Vectors

extension VectorSearch {
  /// The slabs of which a vector passes the filter.
  func segments(_ slabs: [SlabView], _ scratch: VectorScratch) -> [Segment] {
    var segments: [Segment] = []
    segments.reserveCapacity(slabs.count)
    var start = 0
    for slab in slabs {
      defer { start += slab.count }
      if admitsAll(of: slab) {
        segments.append(Segment(slab: slab, start: start, mask: nil, admitted: slab.count))
        continue
      }
      let mask = UnsafeMutableBufferPointer(rebasing: scratch.masks[start..<start + slab.count])
      apply(to: slab, mask, scratch)
      let admitted = instructions.countMasked(UnsafeBufferPointer(mask))
      guard admitted > 0 else { continue }
      segments.append(Segment(slab: slab, start: start, mask: UnsafeBufferPointer(mask), admitted: admitted))
    }
    return segments
  }

  /// Whether all pass, by the bounds of the slab's record alone.
  private func admitsAll(of slab: SlabView) -> Bool {
    filter.kind == nil && filter.series == nil && admitsStates(of: slab) && admitsPartition(of: slab)
      && admitsTimes(of: slab)
  }

  private func admitsStates(of slab: SlabView) -> Bool {
    slab.record.map { $0.alive == $0.count && $0.states & ~filter.states == 0 } ?? false
  }

  private func admitsPartition(of slab: SlabView) -> Bool {
    guard let partition = filter.partition else { return true }
    return slab.record?.partition == partition
  }

  private func admitsTimes(of slab: SlabView) -> Bool {
    if filter.times == .min ... .max { return true }
    guard let times = slab.record?.times else { return false }
    return filter.times.contains(times.lowerBound) && filter.times.contains(times.upperBound)
  }

  /// Marks the vectors that pass.
  private func apply(to slab: SlabView, _ mask: UnsafeMutableBufferPointer<UInt8>, _ scratch: VectorScratch) {
    func column(_ start: UnsafeRawPointer, _ width: Int) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(start: start, count: width * slab.count)
    }
    let columns = slab.columns
    if admitsStates(of: slab) {
      mask.initialize(repeating: 0xFF)
    } else {
      instructions.maskBits(of: column(slab.states, 1), admitted: filter.states, into: mask)
    }
    if let partition = filter.partition, !admitsPartition(of: slab) {
      instructions.mask(mask, where: column(columns.partitions, 4), equals: partition)
    }
    if let kind = filter.kind { apply(kind, to: slab, columns.kindBytes, columns.kinds, mask, scratch) }
    if let series = filter.series { apply(series, to: slab, columns.seriesBytes, columns.series, mask, scratch) }
    if !admitsTimes(of: slab) {
      instructions.mask(mask, where: column(columns.times, 8), isIn: filter.times)
    }
  }

  /// By the low bytes of the labels first: they are a quarter of the memory, and few rows pass them. If no label is above
  /// 255 they decide.
  private func apply(
    _ label: UInt32, to slab: SlabView, _ lowBytes: UnsafeRawPointer, _ labels: UnsafeRawPointer,
    _ mask: UnsafeMutableBufferPointer<UInt8>, _ scratch: VectorScratch
  ) {
    instructions.mask(
      mask, where: UnsafeRawBufferPointer(start: lowBytes, count: slab.count),
      equals: UInt8(truncatingIfNeeded: label))
    guard label > 255 || slab.record?.largestLabel ?? .max > 255 else { return }
    let passed = instructions.selectMasked(UnsafeBufferPointer(mask), into: scratch.rows)
    for slot in scratch.rows[..<passed].lazy.map(Int.init)
    where labels.loadUnaligned(fromByteOffset: 4 * slot, as: UInt32.self) != label.littleEndian {
      mask[slot] = 0
    }
  }
}
