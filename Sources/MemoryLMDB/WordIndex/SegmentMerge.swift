import LMDB

/// Several segments on their way into a new one.
struct SegmentMerge {
  /// Ids of the segments that are merged.
  let inputs: [UInt32]
  private(set) var output: SegmentOutput
  private var fields = WordField.allCases.map { FieldMerge($0) }

  init(_ inputs: [UInt32], into output: SegmentOutput) {
    self.inputs = inputs
    self.output = output
  }

  var isDone: Bool { fields.allSatisfy(\.isDone) }

  /// - Parameter segments: The inputs as they are now, in the order of `inputs`.
  mutating func step(
    _ segments: [WordManifest.Segment], _ snapshot: WordSnapshot, budget: Int
  ) throws(LMDBError) {
    for place in fields.indices where !fields[place].isDone && output.byteCount < budget {
      let readers = segments.map { FieldReader(snapshot, $0, fields[place].field) }
      try fields[place].step(readers, budget: budget, to: &output)
    }
  }

  mutating func take() -> [(key: [UInt8], value: [UInt8])] { output.take() }

  /// Puts the new segment into the manifest where its first input stands, and takes the inputs out.
  func replaceInputs(in manifest: inout WordManifest) -> [WordManifest.Segment] {
    let replaced = manifest.segments.filter { inputs.contains($0.id) }
    let place = manifest.segments.firstIndex { inputs.contains($0.id) } ?? 0
    manifest.segments.removeAll { inputs.contains($0.id) }
    var segment = WordManifest.Segment(id: output.id)
    segment.bytes = output.totalBytes
    for field in fields { segment[field.field] = field.facts }
    if segment.documents > 0 { manifest.segments.insert(segment, at: place) }
    return replaced
  }

  /// Marks what died in the inputs while the merge ran. The output must be written and in the manifest.
  func carryOver(
    _ segments: [WordManifest.Segment], _ snapshot: WordSnapshot, _ manifest: inout WordManifest
  ) throws(LMDBError) -> DeadDocuments {
    var dead = DeadDocuments()
    guard let place = manifest.segments.firstIndex(where: { $0.id == output.id }) else { return dead }
    for merge in fields {
      let reader = FieldReader(snapshot, manifest.segments[place], merge.field)
      for (input, segment) in segments.enumerated() where segment[merge.field].dead > 0 {
        let old = FieldReader(snapshot, segment, merge.field)
        for (ordinal, new) in merge.ordinals[input].enumerated() where new != FieldMerge.dead {
          guard try old.isDead(UInt32(truncatingIfNeeded: ordinal)) else { continue }
          _ = try dead.mark(new, in: reader, &manifest.segments[place][merge.field])
        }
      }
    }
    return dead
  }
}
