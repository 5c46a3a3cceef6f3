import Testing

@testable import Vectors

/// Rows with their codes in slabs, searched as an index would search them.
private struct CodedRows {
  let layout: CodeLayout
  let rows: [Vector]
  private var prefixes: [UInt64]
  private var rests: [UInt64]
  private var bytes: [Int8]
  private var scales: [Float] = []

  init(_ rows: [Vector], dimensions: Int) {
    let encoder = CodeEncoder(dimensions: dimensions)
    layout = encoder.layout
    self.rows = rows
    prefixes = [UInt64](repeating: 0, count: rows.count * layout.prefixWords)
    rests = [UInt64](repeating: 0, count: rows.count * layout.restWords)
    bytes = [Int8](repeating: 0, count: rows.count * layout.rowBytes)
    prefixes.withUnsafeMutableBytes { prefixes in
      rests.withUnsafeMutableBytes { rests in
        bytes.withUnsafeMutableBytes { bytes in
          for (index, row) in rows.enumerated() {
            func part(_ slab: UnsafeMutableRawBufferPointer, _ size: Int) -> UnsafeMutableRawBufferPointer {
              UnsafeMutableRawBufferPointer(rebasing: slab[(size * index)..<(size * (index + 1))])
            }
            let numbers = encoder.encode(
              row, prefix: part(prefixes, 8 * layout.prefixWords), rest: part(rests, 8 * layout.restWords),
              int8Row: part(bytes, layout.rowBytes))
            scales.append(numbers?.scale ?? 0)
          }
        }
      }
    }
  }

  /// The best fifth of the rows by prefix, of those the best fiftieth of the rows by all bits, ordered by bytes.
  func nearest(_ count: Int, to vector: Vector) -> [UInt32] {
    let set = InstructionSet.best
    let query = CodeQuery(vector)
    var near = [UInt16](repeating: 0, count: rows.count)
    prefixes.withUnsafeBytes { prefixes in
      near.withUnsafeMutableBufferPointer {
        set.codeDistances(prefixes, words: layout.prefixWords, to: query.prefix, into: $0)
      }
    }
    var candidates = [UInt32](repeating: 0, count: rows.count)
    var kept = near
    let limit = near.sorted()[rows.count / 5]
    let selected = near.withUnsafeBufferPointer { near in
      candidates.withUnsafeMutableBufferPointer { candidates in
        kept.withUnsafeMutableBufferPointer { set.selectAtMost(limit, of: near, into: candidates, values: $0) }
      }
    }
    candidates.removeLast(rows.count - selected)
    var far = [UInt32](repeating: 0, count: selected)
    rests.withUnsafeBytes { rests in
      candidates.withUnsafeBufferPointer { rows in
        far.withUnsafeMutableBufferPointer {
          set.codeDistances(rests, words: layout.restWords, at: rows, to: query.rest, into: $0)
        }
      }
    }
    let byDistance = candidates.indices.sorted { (far[$0] + UInt32(kept[$0])) < (far[$1] + UInt32(kept[$1])) }
    let refined = byDistance.prefix(rows.count / 50).map { candidates[$0] }
    var dots = [Int32](repeating: 0, count: refined.count)
    bytes.withUnsafeBytes { bytes in
      refined.withUnsafeBufferPointer { rows in
        dots.withUnsafeMutableBufferPointer {
          set.int8Dots(bytes, stride: layout.rowBytes, at: rows, with: query.components, into: $0)
        }
      }
    }
    let scores = zip(refined, dots).map { Float($1) * scales[Int($0)] * query.scale }
    return refined.indices.sorted { scores[$0] > scores[$1] }.prefix(count).map { refined[$0] }
  }

  /// The same by all float32 components.
  func exactlyNearest(_ count: Int, to vector: Vector) -> [UInt32] {
    let query = VectorQuery(vector, metric: .cosine)
    var best = TopK<UInt32>(count)
    for (index, row) in rows.enumerated() { best.insert(UInt32(index), score: query.similarity(to: row) ?? -1) }
    return best.ranked().map(\.id)
  }
}

@Suite struct `A cascade of codes` {
  /// Of more rows a smaller share does: of 25,000, 8 % and half a percent keep 99 %.
  @Test func `keeps 97 % of the ten nearest through a fifth by prefix, a fiftieth by all bits, and bytes`() throws {
    guard let rows = try SentenceEmbeddings.read("minilm_50k_384.f16", count: 5_000),
      let queries = try SentenceEmbeddings.read("minilm_queries_500_384.f16", count: 100)
    else { return }
    let coded = CodedRows(rows, dimensions: SentenceEmbeddings.dimensions)
    let found = queries.reduce(0) { found, query in
      found + Set(coded.nearest(10, to: query)).intersection(coded.exactlyNearest(10, to: query)).count
    }
    let recall = Double(found) / Double(10 * queries.count)
    print("recall of the cascade: \(recall)")
    #expect(recall >= 0.97)
  }
}
