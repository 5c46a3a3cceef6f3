import TestSupport
import Testing

@testable import EpisodicMemory

@Suite struct `JSON values` {
  @Test func `canonical text sorts names by their bytes and has no spaces`() {
    let value: JSON = ["b": [1, 2.5, true, nil], "a": ["z": "x", "é": 0, "Z": -1]]
    #expect(value.canonicalText == #"{"a":{"Z":-1,"z":"x","é":0},"b":[1,2.5,true,null]}"#)
  }

  @Test func `the hash is SHA-256 over the canonical text`() {
    // printf '{"a":1}' | sha256sum
    let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    #expect((["a": 1] as JSON).canonicalHash == hash)
    #expect((["a": 1.0] as JSON).canonicalHash == hash)
  }

  @Test func `control characters, quotes and backslashes are escaped and come back`() throws {
    let value: JSON = ["text": "\"\\\u{8}\t\n\u{C}\r\u{1}\u{1F}/é😀"]
    #expect(value.canonicalText == #"{"text":"\"\\\b\t\n\f\r\u0001\u001f/é😀"}"#)
    #expect(try JSON(text: value.canonicalText) == value)
  }

  @Test(arguments: ["", "{", "[1 2]", "nul", "{\"a\":1}x", "NaN", "\"\\ud800\"", "{\"a\" 1}"])
  func `text that is not JSON is refused`(_ text: String) {
    #expect(throws: MemoryError.self) { try JSON(text: text) }
  }

  @Test func `an integer beyond 63 bits is refused instead of losing digits`() {
    #expect { try JSON(text: "18446744073709551615") } throws: {
      ($0 as? MemoryError)?.message.contains("write it as a string") == true
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `random values survive text and bytes`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let value = JSON.random(&generator, depth: 4)
      #expect(try JSON(text: value.canonicalText) == value)
      var writer = ByteWriter()
      writer.write(value)
      let decoded = try writer.bytes.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        return try reader.json()
      }
      #expect(decoded == value)
    }
  }
}

extension JSON {
  static func random(_ generator: inout SeededGenerator, depth: Int) -> JSON {
    switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &generator) {
    case 0: .null
    case 1: .bool(.random(using: &generator))
    case 2: .integer(.random(in: .min ... .max, using: &generator))
    case 3: JSON(Double.random(in: -1e9...1e9, using: &generator))
    case 4: JSON(Double(bitPattern: generator.next() & 0x7FDF_FFFF_FFFF_FFFF))
    case 5:
      .string(
        String(
          (0..<Int.random(in: 0...9, using: &generator)).map { _ in "aé\"\\\n😀 ".randomElement(using: &generator) ?? "x"
          }))
    case 6: .array((0..<Int.random(in: 0...3, using: &generator)).map { _ in random(&generator, depth: depth - 1) })
    default:
      .object(
        Dictionary(
          (0..<Int.random(in: 0...3, using: &generator)).map { _ in
            ("k\(Int.random(in: 0...9, using: &generator))", random(&generator, depth: depth - 1))
          }
        ) { $1 })
    }
  }
}
