package import ByteCoding

extension ByteWriter {
  package mutating func write(_ json: JSON) {
    switch json {
    case .null: write(UInt8(0))
    case .bool(let value): write(UInt8(value ? 2 : 1))
    case .integer(let value):
      write(UInt8(3))
      write(value)
    case .number(let value):
      write(UInt8(4))
      write(value)
    case .string(let value):
      write(UInt8(5))
      write(value)
    case .array(let elements):
      write(UInt8(6))
      write(elements) { $0.write($1) }
    case .object(let members):
      write(UInt8(7))
      write(Array(members)) {
        $0.write($1.name)
        $0.write($1.value)
      }
    case .unsigned(let value):
      write(UInt8(8))
      write(value)
    }
  }
}

extension ByteReader {
  /// Deeper nesting is rejected, so that no bytes can exhaust the stack.
  private static let maximumDepth = 512

  package mutating func json() throws(MalformedBytes) -> JSON { try json(depth: 0) }

  private mutating func json(depth: Int) throws(MalformedBytes) -> JSON {
    guard depth < Self.maximumDepth else { throw MalformedBytes() }
    switch try integer(UInt8.self) {
    case 0: return .null
    case 1: return .bool(false)
    case 2: return .bool(true)
    case 3: return .integer(try integer())
    case 4: return .number(try double())
    case 5: return .string(try text())
    case 6: return .array(try array { reader throws(MalformedBytes) in try reader.json(depth: depth + 1) })
    case 7:
      let members = try array { reader throws(MalformedBytes) in
        (try reader.text(), try reader.json(depth: depth + 1))
      }
      return .object(JSON.Object(members))
    case 8: return .unsigned(try integer())
    default: throw MalformedBytes()
    }
  }
}
