import Heaps
import Testing
import Vectors

@testable import VectorIndex

/// Vectors around random centres, in slabs of given sizes, and a brute-force search of them.
private struct Clusters {
  static let dimensions = 128
  static let generation: UInt64 = 5

  let vectors: [Vector]
  let attributes: [RowAttributes]
  private let slabs: [(count: Int, bytes: [UInt8])]

  /// - Parameter isUnit: Whether all have the same length.
  /// - Parameter copies: Equal vectors of each.
  init(_ count: Int, isUnit: Bool, copies: Int = 1, slabs sizes: [Int] = [16_384]) throws {
    var random = Numbers(seed: UInt64(count))
    let centres = (0..<50).map { _ in (0..<Self.dimensions).map { _ in random.signed() } }
    var made: [Vector] = []
    for _ in 0..<count / copies {
      let centre = centres[Int(random.next() % 50)]
      let components = centre.map { $0 + random.signed() }
      let norm = components.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let length = isUnit ? 1 : 1 + abs(random.signed())
      let vector = try Vector(components.map { $0 / norm * length })
      made += repeatElement(vector, count: copies)
    }
    vectors = made
    let attributes = made.indices.map { row in
      RowAttributes(
        partition: 1, series: 0, kind: UInt32(row % 100 == 7 ? 300 : row % 3 == 0 ? 44 : 2), state: UInt8(row % 4),
        time: Int64(row))
    }
    self.attributes = attributes
    let layout = SlabLayout(dimensions: Self.dimensions)
    let encoder = CodeEncoder(dimensions: Self.dimensions)
    var slabs: [(Int, [UInt8])] = []
    var row = 0
    while row < made.count {
      var buffer = SlabBuffer(layout)
      for next in row..<min(row + sizes[slabs.count % sizes.count], made.count) {
        made[next].components.withUnsafeBytes {
          buffer.append(
            id: Int64(next), group: Int64(next), attributes[next], components: $0, encoder, generation: Self.generation)
        }
      }
      row += buffer.count
      slabs.append((buffer.count, buffer.contiguous()))
    }
    self.slabs = slabs
  }

  /// The rows of all candidates with their estimates, ordered by both.
  func candidates(
    _ query: Vector, _ metric: Metric, _ filter: AttributeFilter, lengthsDiffer: Bool, wanted: Int
  ) throws -> [(row: Int, estimate: Double)] {
    let layout = SlabLayout(dimensions: Self.dimensions)
    let norm = query.components.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    let search = VectorSearch(
      query: CodeQuery(query), metric: metric, queryNorm: norm, filter: filter, generation: Self.generation)
    let copies = slabs.map { slab in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: slab.bytes.count, alignment: 1)
      copy.copyBytes(from: slab.bytes)
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    let views = zip(slabs, copies).compactMap { slab, copy in
      SlabView(layout, count: slab.count, contiguous: UnsafeRawBufferPointer(copy))
    }
    #expect(views.count == slabs.count)
    var candidates = search.candidates(views, lengthsDiffer: lengthsDiffer, wanted: wanted, VectorScratch())
    var found: [(row: Int, estimate: Double)] = []
    while let candidate = try candidates.next() {
      if let last = found.last { #expect(candidate.estimate <= last.estimate) }
      found.append((Int(candidate.id), candidate.estimate))
    }
    return found.sorted { ($1.estimate, $0.row) < ($0.estimate, $1.row) }
  }

  func nearest(_ count: Int, to query: Vector, _ metric: Metric, _ filter: AttributeFilter) -> [Int] {
    let query = VectorQuery(query, metric: metric)
    var best = TopK<Scored<Int>>(count)
    for (row, vector) in vectors.enumerated() where filter.admits(attributes[row]) {
      if let similarity = query.similarity(to: vector) { best.insert(Scored(row, score: similarity)) }
    }
    return best.ranked().map(\.id)
  }
}

/// The same numbers on every machine.
private struct Numbers {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }

  mutating func signed() -> Float { Float(next() % 2001) / 1000 - 1 }
}

extension AttributeFilter {
  fileprivate static func passing(
    kind: UInt32? = nil, states: UInt32 = 15, times: ClosedRange<Int64> = .min ... .max
  ) -> AttributeFilter {
    AttributeFilter(partition: nil, series: nil, kind: kind, states: states, times: times)
  }
}

@Suite struct `Vector search` {
  private static let ofEqualLength = Result { try Clusters(20_000, isUnit: true) }
  private static let ofManyLengths = Result { try Clusters(20_000, isUnit: false) }

  static let filters: [AttributeFilter] = [
    .passing(), .passing(states: 0b0111), .passing(kind: 44), .passing(kind: 300), .passing(times: 100...900),
    .passing(kind: 300, states: 1), .passing(kind: 9),
  ]

  @Test(arguments: [Metric.cosine, .dotProduct, .euclidean], [true, false])
  func `finds 97 % of the nearest by every metric, whether lengths are equal or not`(
    metric: Metric, isUnit: Bool
  ) throws {
    let clusters = try (isUnit ? Self.ofEqualLength : Self.ofManyLengths).get()
    var (found, wanted) = (0, 0)
    for filter in Self.filters {
      for row in [3, 9_999] {
        let query = clusters.vectors[row]
        let truth = clusters.nearest(10, to: query, metric, filter)
        let answer = try clusters.candidates(query, metric, filter, lengthsDiffer: !isUnit, wanted: 10)
        #expect(answer.allSatisfy { filter.admits(clusters.attributes[$0.row]) })
        found += Set(truth).intersection(answer.map(\.row)).count
        wanted += truth.count
      }
    }
    #expect(Double(found) >= 0.97 * Double(wanted))
  }

  @Test(arguments: [true, false])
  func `the result does not depend on how vectors are spread over slabs, even with equal vectors`(isUnit: Bool) throws {
    let one = try Clusters(8_000, isUnit: isUnit, copies: 4)
    let many = try Clusters(8_000, isUnit: isUnit, copies: 4, slabs: [1, 700, 63, 64, 3_001])
    for filter in Self.filters {
      let query = one.vectors[100]
      let a = try one.candidates(query, .euclidean, filter, lengthsDiffer: !isUnit, wanted: 10)
      let b = try many.candidates(query, .euclidean, filter, lengthsDiffer: !isUnit, wanted: 10)
      #expect(a.map(\.row) == b.map(\.row))
      #expect(a.map(\.estimate) == b.map(\.estimate))
    }
  }

  @Test(arguments: [1, 10, 100, 1_000]) func `finds 97 % of as many as are wanted`(wanted: Int) throws {
    let clusters = try Self.ofEqualLength.get()
    let query = clusters.vectors[77]
    let truth = clusters.nearest(wanted, to: query, .cosine, .passing())
    let answer = try clusters.candidates(query, .cosine, .passing(), lengthsDiffer: false, wanted: wanted)
    let found = Set(truth).intersection(answer.map(\.row)).count
    #expect(100 * found >= 97 * wanted)
  }
}

@Suite struct `Slabs` {
  @Test(arguments: [1, 384, 1536, 65_536]) func `a slab and a tail are bounded by bytes`(dimensions: Int) {
    let layout = SlabLayout(dimensions: dimensions)
    #expect(layout.capacity * layout.bytesPerVector <= 8 << 20)
    #expect(layout.tailCapacity * layout.bytesPerVector <= 512 << 10)
    #expect(dimensions > 384 || layout.capacity == 16_384)
  }
}
