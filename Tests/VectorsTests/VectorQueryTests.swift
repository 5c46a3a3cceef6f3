import Testing
import Vectors

@Suite struct `A vector query` {
  @Test(arguments: Metric.allCases, InstructionSet.supported)
  func `similarity follows the oracle`(metric: Metric, set: InstructionSet) throws {
    var random = SeededGenerator(seed: 1)
    for dimensions in [1, 2, 3, 17, 100, 384, 1536] {
      let a = random.components(dimensions)
      let b = random.components(dimensions)
      let query = VectorQuery(try Vector(a), metric: metric, instructionSet: set)
      let similarity = try #require(query.similarity(to: try Vector(b)))
      let exact = Oracle.similarity(a, b, by: metric)
      let scale = metric == .dotProduct ? Oracle.absoluteTerms(a, b) : max(1, abs(exact))
      #expect(abs(similarity - exact) <= Oracle.tolerance(dimensions: dimensions, absoluteTerms: scale))
    }
  }

  @Test(arguments: Metric.allCases)
  func `every instruction set gives the same bits`(metric: Metric) throws {
    var random = SeededGenerator(seed: 2)
    for scale: Float in [1e-38, 1e-30, 1, 1e30, 1e38] {
      let a = try Vector(random.components(383, scale: scale))
      let b = try Vector(random.components(383))
      let scores = InstructionSet.supported.map {
        VectorQuery(a, metric: metric, instructionSet: $0).similarity(to: b)?.bitPattern
      }
      #expect(!scores.contains(nil))
      #expect(Set(scores).count == 1)
    }
  }

  @Test(arguments: Metric.allCases)
  func `the score of a row does not depend on its position in a slab`(metric: Metric) throws {
    var random = SeededGenerator(seed: 3)
    let dimensions = 100
    let query = VectorQuery(try Vector(random.components(dimensions)), metric: metric)
    let row = try Vector(random.components(dimensions))
    let expected = try #require(query.similarity(to: row))
    let slab = [[7]] + (0..<50).map { _ in row.littleEndianFloat32 }
    let bytes = Array(slab.joined())  // rows start one byte past alignment
    bytes.withUnsafeBytes { bytes in
      for start in stride(from: 1, to: bytes.count, by: 4 * dimensions) {
        let row = UnsafeRawBufferPointer(rebasing: bytes[start..<start + 4 * dimensions])
        #expect(query.similarity(to: row)?.bitPattern == expected.bitPattern)
      }
    }
  }

  @Test func `a span and a buffer of the same row score alike`() throws {
    let query = VectorQuery(try Vector([1, 2, 3]), metric: .cosine)
    let row = try Vector([3, 2, 1]).littleEndianFloat32
    let fromSpan = query.similarity(to: row.span.bytes)
    let fromBuffer = row.withUnsafeBytes { query.similarity(to: $0) }
    #expect(fromSpan != nil)
    #expect(fromSpan == fromBuffer)
  }

  @Test(arguments: Metric.allCases)
  func `similarity is symmetric to the bit`(metric: Metric) throws {
    var random = SeededGenerator(seed: 4)
    for scale: Float in [1, 1e-30, 1e30] {
      let a = try Vector(random.components(77))
      let b = try Vector(random.components(77, scale: scale))
      let there = VectorQuery(a, metric: metric).similarity(to: b)
      let back = VectorQuery(b, metric: metric).similarity(to: a)
      #expect(there?.bitPattern == back?.bitPattern)
    }
  }

  @Test(arguments: [0x1p-149, 1e-38, 1e-30, 1e-20, 1, 1e18, 1e30, 3e38] as [Float])
  func `a vector has cosine 1 and distance 0 to itself and cosine -1 to its opposite`(scale: Float) throws {
    var random = SeededGenerator(seed: 5)
    let components = [scale] + random.components(200, scale: scale)
    let vector = try Vector(components)
    let opposite = try Vector(components.map { -$0 })
    let cosine = VectorQuery(vector, metric: .cosine)
    #expect(cosine.similarity(to: vector) == 1)
    #expect(cosine.similarity(to: opposite) == -1)
    #expect(VectorQuery(vector, metric: .euclidean).similarity(to: vector) == 0)
  }

  @Test func `cosine stays in -1...1`() throws {
    var random = SeededGenerator(seed: 6)
    for _ in 0..<500 {
      let a = random.components(9)
      let factor = Float.random(in: -4...4, using: &random)
      let nearlyParallel = a.map { $0 * factor }
      guard factor != 0 else { continue }
      let cosine = try #require(VectorQuery(try Vector(a), metric: .cosine).similarity(to: try Vector(nearlyParallel)))
      #expect((-1...1).contains(cosine))
    }
  }

  @Test func `cosine ignores length where dot product and distance do not`() throws {
    let query = try Vector([1, 0])
    let near = try Vector([1, 1])
    let far = try Vector([4, 4])
    let cosine = VectorQuery(query, metric: .cosine)
    #expect(cosine.similarity(to: near) == cosine.similarity(to: far))
    let dot = VectorQuery(query, metric: .dotProduct)
    #expect(dot.similarity(to: near) == 1)
    #expect(dot.similarity(to: far) == 4)
    let euclidean = VectorQuery(query, metric: .euclidean)
    #expect(euclidean.similarity(to: near) == -1)
    #expect(euclidean.similarity(to: far) == -5)
  }

  @Test(arguments: Metric.allCases)
  func `metrics keep the names they are stored under`(metric: Metric) {
    let names: [Metric: String] = [.cosine: "cosine", .dotProduct: "dot_product", .euclidean: "euclidean"]
    #expect(metric.rawValue == names[metric])
  }

  // Squares of these overflow or vanish in float32.
  @Test(arguments: Metric.allCases, [0x1p-149, 1e-38, 1e-30, 1e-20, 1e18, 1e20, 1e30, 3e38] as [Float])
  func `vectors at the ends of float32 score as in double`(metric: Metric, scale: Float) throws {
    var random = SeededGenerator(seed: 7)
    for queryScale in [scale, 1, 1 / scale] where queryScale.isFinite {
      let a = [queryScale] + random.components(100, scale: queryScale)
      let query = VectorQuery(try Vector(a), metric: metric)
      for rowScale in [scale, 1] {
        let b = [rowScale] + random.components(100, scale: rowScale)
        let similarity = try #require(query.similarity(to: try Vector(b)))
        let exact = Oracle.similarity(a, b, by: metric)
        let magnitude =
          switch metric {
          case .cosine: 1.0
          case .dotProduct: Oracle.absoluteTerms(a, b)
          case .euclidean: abs(exact)
          }
        #expect(abs(similarity - exact) <= Oracle.tolerance(dimensions: 101, absoluteTerms: magnitude))
      }
    }
  }

  @Test(arguments: [1e-30, 1e30] as [Float])
  func `rows whose squares overflow or underflow float32 keep their order`(scale: Float) throws {
    let query = try Vector([1 * scale, 2 * scale, 3 * scale])
    let near = try Vector([1 * scale, 2 * scale, 2.9 * scale])
    let far = try Vector([3 * scale, -1 * scale, 1 * scale])
    for metric in Metric.allCases {
      let query = VectorQuery(query, metric: metric)
      #expect(try #require(query.similarity(to: near)) > #require(query.similarity(to: far)))
    }
  }

  @Test func `products that overflow float32 and cancel leave the rest`() throws {
    let query = VectorQuery(try Vector([0x1p100, 0x1p100, 0x1p90]), metric: .dotProduct)
    #expect(query.similarity(to: try Vector([0x1p100, -0x1p100, 0x1p90])) == 0x1p180)
  }

  @Test(arguments: [Metric.cosine, .dotProduct])
  func `orthogonal vectors score exactly 0`(metric: Metric) throws {
    let query = VectorQuery(try Vector([3, 0, 2, 0]), metric: metric)
    #expect(query.similarity(to: try Vector([0, 5, 0, 7])) == 0)
    #expect(query.similarity(to: try Vector([2, 0, -3, 0])) == 0)
  }

  @Test func `a product that underflows float32 still ranks above zero`() throws {
    let query = VectorQuery(try Vector([1e-30, 0]), metric: .dotProduct)
    let some = try #require(query.similarity(to: try Vector([1e-30, 0])))
    let none = try #require(query.similarity(to: try Vector([0, 1e-30])))
    #expect(some > none)
    #expect(none == 0)
  }

  @Test(arguments: Metric.allCases, [Float.nan, .signalingNaN, .infinity, -.infinity])
  func `a damaged row has no score`(metric: Metric, damage: Float) throws {
    for index in [0, 15, 16, 64, 99] {
      var components = [Float](repeating: 0.5, count: 100)
      let query = VectorQuery(try Vector(components), metric: metric)
      components[index] = damage
      let row = [UInt8](littleEndianFloat32: components)
      let similarity = query.similarity(to: row.span.bytes)
      #expect(similarity == nil)
    }
  }

  @Test(arguments: Metric.allCases, [0, 1, 11, 13, 16, 4096])
  func `a row of another length has no score`(metric: Metric, byteCount: Int) throws {
    let query = VectorQuery(try Vector([1, 2, 3]), metric: metric)
    let row = [UInt8](repeating: 1, count: byteCount)
    let fromSpan = query.similarity(to: row.span.bytes)
    #expect(fromSpan == nil)
    #expect(row.withUnsafeBytes { query.similarity(to: $0) } == nil)
    #expect(query.similarity(to: UnsafeRawBufferPointer(start: nil, count: 0)) == nil)
  }

  @Test func `a row of zeros has no cosine`() throws {
    let row = [UInt8](repeating: 0, count: 12)
    let similarity = VectorQuery(try Vector([1, 2, 3]), metric: .cosine).similarity(to: row.span.bytes)
    #expect(similarity == nil)
  }
}
