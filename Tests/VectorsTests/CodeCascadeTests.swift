import Heaps
import Testing

@testable import Vectors

/// Rows with their codes in slabs, searched as an index would search them.
private struct CodedRows {
  let layout: CodeLayout
  let rows: [Vector]
  private var groups: [UInt8]
  private var codes: [UInt8]
  private var bytes: [Int8]
  private var scales: [Float] = []

  init(_ rows: [Vector], dimensions: Int) {
    let encoder = CodeEncoder(dimensions: dimensions)
    layout = encoder.layout
    self.rows = rows
    groups = [UInt8](repeating: 0, count: layout.groupBytes(rows.count))
    codes = [UInt8](repeating: 0, count: rows.count * layout.codeBytes)
    bytes = [Int8](repeating: 0, count: rows.count * layout.rowBytes)
    codes.withUnsafeMutableBytes { codes in
      bytes.withUnsafeMutableBytes { bytes in
        for (index, row) in rows.enumerated() {
          let numbers = encoder.encode(
            row, code: .init(rebasing: codes[(layout.codeBytes * index)...]),
            int8Row: .init(rebasing: bytes[(layout.rowBytes * index)...]))
          scales.append(numbers?.scale ?? 0)
        }
      }
    }
    for row in rows.indices {
      for word in 0..<layout.prefixWords {
        let (from, to) = (row * layout.codeBytes + 8 * word, layout.groupOffset(ofWord: word, row: row))
        groups.replaceSubrange(to..<to + 8, with: codes[from..<from + 8])
      }
    }
  }

  /// The best fifth of the rows by prefix, of those the best fiftieth of the rows by all bits, ordered by bytes.
  func nearest(_ count: Int, to vector: Vector) -> [UInt32] {
    let set = InstructionSet.best
    let query = CodeQuery(vector)
    var near = [UInt16](repeating: 0, count: rows.count)
    groups.withUnsafeBytes { groups in
      near.withUnsafeMutableBufferPointer {
        set.groupDistances(groups, words: layout.prefixWords, to: query.prefix, into: $0)
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
    codes.withUnsafeBytes { codes in
      let places = candidates.map { row in codes.baseAddress.map { $0 + layout.codeBytes * Int(row) } }
      places.withUnsafeBufferPointer { places in
        far.withUnsafeMutableBufferPointer {
          set.codeDistances(places, words: layout.words, to: query.code, into: $0)
        }
      }
    }
    let byDistance = candidates.indices.sorted { far[$0] < far[$1] }
    let refined = byDistance.prefix(rows.count / 50).map { candidates[$0] }
    var dots = [Int32](repeating: 0, count: refined.count)
    bytes.withUnsafeBytes { bytes in
      let places = refined.map { row in bytes.baseAddress.map { $0 + layout.rowBytes * Int(row) } }
      places.withUnsafeBufferPointer { places in
        dots.withUnsafeMutableBufferPointer { set.int8Dots(places, with: query.components, into: $0) }
      }
    }
    let scores = zip(refined, dots).map { Float($1) * scales[Int($0)] * query.scale }
    return refined.indices.sorted { scores[$0] > scores[$1] }.prefix(count).map { refined[$0] }
  }

  /// The same by all float32 components.
  func exactlyNearest(_ count: Int, to vector: Vector) -> [UInt32] {
    let query = VectorQuery(vector, metric: .cosine)
    var best = TopK<Scored<UInt32>>(count)
    for (index, row) in rows.enumerated() { best.insert(Scored(UInt32(index), score: query.similarity(to: row) ?? -1)) }
    return best.ranked().map(\.id)
  }
}

@Suite struct `A cascade of codes` {
  /// Of more rows a smaller share does: of 25,000, 8 % and half a percent keep 99 %.
  @Test(.enabled(if: SentenceEmbeddings.areThere, "needs ../shared/data beside the checkout"))
  func `keeps 97 % of the ten nearest through a fifth by prefix, a fiftieth by all bits, and bytes`() throws {
    let rows = try SentenceEmbeddings.read(SentenceEmbeddings.base, count: 5_000)
    let queries = try SentenceEmbeddings.read(SentenceEmbeddings.queries, count: 100)
    let coded = CodedRows(rows, dimensions: SentenceEmbeddings.dimensions)
    let found = queries.reduce(0) { found, query in
      found + Set(coded.nearest(10, to: query)).intersection(coded.exactlyNearest(10, to: query)).count
    }
    let recall = Double(found) / Double(10 * queries.count)
    print("recall of the cascade: \(recall)")
    #expect(recall >= 0.97)
  }
}
