import Vectors

extension VectorSearch {
  /// The slabs of which something passes the filter.
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

  /// Whether all pass, by what is known of the slab without looking.
  private func admitsAll(of slab: SlabView) -> Bool {
    filter.task == nil && filter.session == nil && admitsStatuses(of: slab) && admitsDomain(of: slab)
      && admitsTimes(of: slab)
  }

  private func admitsStatuses(of slab: SlabView) -> Bool {
    slab.record.map { $0.alive == $0.count && $0.statuses & ~filter.statuses == 0 } ?? false
  }

  private func admitsDomain(of slab: SlabView) -> Bool {
    guard let domain = filter.domain else { return true }
    return slab.record?.domain == domain
  }

  private func admitsTimes(of slab: SlabView) -> Bool {
    if filter.created == .min ... .max { return true }
    guard let created = slab.record?.created else { return false }
    return filter.created.contains(created.lowerBound) && filter.created.contains(created.upperBound)
  }

  /// Marks the vectors that pass.
  private func apply(to slab: SlabView, _ mask: UnsafeMutableBufferPointer<UInt8>, _ scratch: VectorScratch) {
    func column(_ start: UnsafeRawPointer, _ width: Int) -> UnsafeRawBufferPointer {
      UnsafeRawBufferPointer(start: start, count: width * slab.count)
    }
    let columns = slab.columns
    if admitsStatuses(of: slab) {
      mask.initialize(repeating: 0xFF)
    } else {
      instructions.maskBits(of: column(slab.statuses, 1), admitted: filter.statuses, into: mask)
    }
    if let domain = filter.domain, !admitsDomain(of: slab) {
      instructions.mask(mask, where: column(columns.domains, 4), equals: domain)
    }
    if let task = filter.task { apply(task, to: slab, columns.taskBytes, columns.tasks, mask, scratch) }
    if let session = filter.session { apply(session, to: slab, columns.sessionBytes, columns.sessions, mask, scratch) }
    if !admitsTimes(of: slab) {
      instructions.mask(mask, where: column(columns.creations, 8), isIn: filter.created)
    }
  }

  /// By the low bytes of the names first: they are a quarter of the memory, few pass, and where names are few that is all.
  private func apply(
    _ name: UInt32, to slab: SlabView, _ lowBytes: UnsafeRawPointer, _ names: UnsafeRawPointer,
    _ mask: UnsafeMutableBufferPointer<UInt8>, _ scratch: VectorScratch
  ) {
    instructions.mask(
      mask, where: UnsafeRawBufferPointer(start: lowBytes, count: slab.count),
      equals: UInt8(truncatingIfNeeded: name))
    guard name > 255 || slab.record?.largestName ?? .max > 255 else { return }
    let passed = instructions.selectMasked(UnsafeBufferPointer(mask), into: scratch.rows)
    for slot in scratch.rows[..<passed].lazy.map(Int.init)
    where names.loadUnaligned(fromByteOffset: 4 * slot, as: UInt32.self) != name.littleEndian {
      mask[slot] = 0
    }
  }
}
