import Testing

@testable import Vectors

@Suite struct `A code query` {
  @Test(arguments: [1, 63, 64, 65, 384, 1000])
  func `holds signs and magnitudes in units of the root mean square`(dimensions: Int) throws {
    var random = SeededGenerator(seed: UInt64(dimensions))
    let components = random.components(dimensions)
    let query = CodeQuery(try Vector(components))
    let layout = query.layout
    let norm = Oracle.dot(components, components).squareRoot()
    let unit = Rotation(dimensions: dimensions).rotated(components.map { Float(Double($0) / norm) })
    #expect(query.prefix.count == 4 * layout.prefixWords && query.code.count == 4 * layout.words)
    func bit(_ plane: Int, _ index: Int) -> Int {
      let (word, bit) = (index / 64, UInt64(index % 64))
      let bits = query.code[plane * layout.words + word]
      if word < layout.prefixWords { #expect(query.prefix[plane * layout.prefixWords + word] == bits) }
      return Int(bits >> bit & 1)
    }
    for index in 0..<64 * layout.words {
      let magnitude = bit(1, index) + 2 * bit(2, index) + 4 * bit(3, index)
      guard index < dimensions else {
        #expect(magnitude == 0 && bit(0, index) == 0)
        continue
      }
      let exact = Double(unit[index].magnitude) * Double(dimensions).squareRoot() / 2.5 * 7
      #expect(abs(Double(magnitude) - min(7, exact)) < 0.5001)
      if unit[index].magnitude > 1e-6 { #expect((bit(0, index) == 1) == (unit[index] > 0)) }
      #expect(abs(Float(query.components[index]) * query.scale - unit[index]) <= query.scale * 0.51)
    }
  }

  @Test(arguments: [1e-30, 1e30] as [Float])
  func `does not depend on the length of the vector`(factor: Float) throws {
    var random = SeededGenerator(seed: 3)
    let components = random.components(384)
    let query = CodeQuery(try Vector(components.map { $0 * factor }))
    let expected = CodeQuery(try Vector(components))
    let differences = zip(query.components, expected.components).map { abs(Int($0) - Int($1)) }
    #expect(differences.allSatisfy { $0 <= 1 })
  }

  @Test func `has the same bits on every instruction set`() throws {
    var random = SeededGenerator(seed: 4)
    for dimensions in [1, 17, 384, 1000] {
      let vector = try Vector(random.components(dimensions))
      let queries = InstructionSet.supported.map { CodeQuery(vector, instructionSet: $0) }
      #expect(Set(queries.map(\.prefix)).count == 1 && Set(queries.map(\.code)).count == 1)
      #expect(Set(queries.map(\.components)).count == 1 && Set(queries.map(\.scale)).count == 1)
    }
  }
}
