import Heaps
import Vectors

extension VectorSearch {
  /// A vector and how like the query its bytes say it is.
  struct Estimate: Ranked {
    let row: UInt32
    let similarity: Double

    var score: Double { similarity }
    func precedes(_ other: Estimate) -> Bool { similarity > other.similarity }
  }

  /// How like the query vectors are by their bytes, in the order of `rows`, which ascend.
  func estimates(
    _ rows: UnsafeBufferPointer<UInt32>, _ segments: [Segment], _ scratch: VectorScratch
  ) -> [Estimate] {
    Self.forEachSegment(segments, rows) { segment, places in
      for place in places { scratch.places[place] = segment.slab.row(Int(rows[place] &- segment.base)).start }
    }
    let places = UnsafeBufferPointer(rebasing: scratch.places[..<rows.count])
    return withUnsafeTemporaryAllocation(of: Int32.self, capacity: rows.count) { dots in
      instructions.int8Dots(places, with: query.components, into: dots)
      return [Estimate](unsafeUninitializedCapacity: rows.count) { estimates, count in
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

  /// Lists the best by the bytes of all that pass in the rows of `scratch`.
  ///
  /// - Returns: How many are listed.
  func scanBytes(_ segments: [Segment], _ effort: Effort, _ scratch: VectorScratch) -> Int {
    var best = TopK<Scored<Leading>>(effort.rows)
    for segment in segments {
      let count = list([segment], scratch)
      for estimate in estimates(UnsafeBufferPointer(rebasing: scratch.rows[..<count]), [segment], scratch) {
        guard estimate.similarity >= best.threshold else { continue }
        let vector = segment.slab.columns.vector(Int(estimate.row &- segment.base))
        best.insert(Scored(Leading(vector: vector, row: estimate.row), score: estimate.similarity))
      }
    }
    let rows = best.ranked().map(\.id.row).sorted()
    _ = scratch.rows.update(fromContentsOf: rows)
    return rows.count
  }

  /// Of vectors that are alike the last added wins, wherever it lies.
  private struct Leading: Comparable {
    let vector: Int64
    let row: UInt32
    static func < (a: Leading, b: Leading) -> Bool { a.vector > b.vector }
  }

  /// The metric's similarity as the bytes have it.
  private func similarity(dot: Int32, _ row: SlabRow) -> Double {
    let cosine = Double(dot) * Double(query.scale) * Double(row.scale)
    let norm = Double(row.norm)
    return switch metric {
    case .cosine: cosine
    case .dotProduct: cosine * norm * queryNorm
    case .euclidean: -max(0, queryNorm * queryNorm + norm * norm - 2 * queryNorm * norm * cosine).squareRoot()
    }
  }

  /// How far an estimate may be off. Its rounding is that of many independent ones, each within half a step: five standard
  /// deviations of it are the margin.
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
