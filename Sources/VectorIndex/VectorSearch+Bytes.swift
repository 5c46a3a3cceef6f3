import Heaps
import Vectors

extension VectorSearch {
  /// A vector and its similarity as its bytes have it.
  struct Estimate: Ranked {
    let row: UInt32
    let similarity: Double

    var score: Double { similarity }
    func precedes(_ other: Estimate) -> Bool { similarity > other.similarity }
  }

  /// The similarity of vectors by their bytes, in the order of `rows`, which ascend.
  func estimates(
    _ rows: UnsafeBufferPointer<UInt32>, _ segments: [Segment], _ scratch: VectorScratch
  ) -> [Estimate] {
    Self.forEachSegment(segments, rows) { segment, places in
      for place in places { scratch.places[place] = segment.slab.row(Int(rows[place] &- segment.base)).start }
    }
    let places = UnsafeBufferPointer(rebasing: scratch.places[..<rows.count])
    return withUnsafeTemporaryAllocation(of: Int32.self, capacity: rows.count) { dots in
      instructions.int8Dots(places, with: query.components, into: dots)
      // At least 1: with 0 the initialiser writes to the buffer that all empty arrays share.
      return [Estimate](unsafeUninitializedCapacity: max(rows.count, 1)) { estimates, count in
        Self.forEachSegment(segments, rows) { segment, places in
          for place in places {
            let row = segment.slab.row(Int(rows[place] &- segment.base))
            estimates.initializeElement(
              at: place, to: Estimate(row: rows[place], similarity: similarity(dot: dots[place], row)))
          }
        }
        count = rows.count
      }
    }
  }

  /// Writes to `scratch.rows` the best by the bytes of all that pass.
  ///
  /// - Returns: How many were written.
  func scanBytes(_ segments: [Segment], _ budget: SearchBudget, _ scratch: VectorScratch) -> Int {
    var best = TopK<Scored<Newest>>(budget.rows)
    for segment in segments {
      let count = list([segment], scratch)
      for estimate in estimates(UnsafeBufferPointer(rebasing: scratch.rows[..<count]), [segment], scratch) {
        guard estimate.similarity >= best.threshold else { continue }
        let id = segment.slab.columns.id(Int(estimate.row &- segment.base))
        best.insert(Scored(Newest(id: id, row: estimate.row), score: estimate.similarity))
      }
    }
    let rows = best.ranked().map(\.id.row).sorted()
    _ = scratch.rows.update(fromContentsOf: rows)
    return rows.count
  }

  /// Of equal vectors the last added precedes the others, whichever slab it is in.
  private struct Newest: Comparable {
    let id: Int64
    let row: UInt32
    static func < (a: Newest, b: Newest) -> Bool { a.id > b.id }
  }

  /// The metric's similarity from a dot product of bytes.
  private func similarity(dot: Int32, _ row: SlabRow) -> Double {
    let cosine = Double(dot) * Double(query.scale) * Double(row.scale)
    let norm = Double(row.norm)
    return switch metric {
    case .cosine: cosine
    case .dotProduct: cosine * norm * queryNorm
    case .euclidean: -max(0, queryNorm * queryNorm + norm * norm - 2 * queryNorm * norm * cosine).squareRoot()
    }
  }

  /// A bound of an estimate's error: five standard deviations of a sum of independent roundings, each within half a step.
  func margin(of row: SlabRow, estimate: Double) -> Double {
    let margin = 5 * (Double(row.scale) + Double(query.scale) / 64) / 12.0.squareRoot()
    let norms = Double(row.norm) * queryNorm
    switch metric {
    case .cosine: return margin
    case .dotProduct: return margin * norms
    case .euclidean:
      // The root is steep near zero: there the margin is that of the square.
      let spread = 2 * norms * margin
      return -estimate > spread.squareRoot() ? spread / -estimate : spread.squareRoot()
    }
  }
}
