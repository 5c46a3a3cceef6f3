import ByteCoding
import TestSupport
import Testing

@testable import StoreValues

@Suite struct `JSON values` {
  @Test func `canonical text sorts names by their bytes and has no spaces`() {
    let value: JSON = ["b": [1, 2.5, true, nil], "a": ["z": "x", "é": 0, "Z": -1]]
    #expect(value.canonicalText == #"{"a":{"Z":-1,"z":"x","é":0},"b":[1,2.5,true,null]}"#)
  }

  @Test func `a member that is not there is told from one that is null`() {
    let object: JSON.Object = ["there": nil]
    #expect(object["there"].map { $0 == .null } == true)
    #expect(object["missing"].map { $0 == .null } == nil)
    #expect(JSON.object(object)["missing"].map { $0 == .null } == nil)
  }

  @Test func `the hash is SHA-256 over the canonical text`() {
    // printf '{"a":1}' | sha256sum
    let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    #expect((["a": 1] as JSON).canonicalHash == hash)
    #expect((["a": 1.0] as JSON).canonicalHash == hash)
  }

  @Test func `control characters, quotes and backslashes are escaped and read back`() throws {
    let value: JSON = ["text": "\"\\\u{8}\t\n\u{C}\r\u{1}\u{1F}/é😀"]
    #expect(value.canonicalText == #"{"text":"\"\\\b\t\n\f\r\u0001\u001f/é😀"}"#)
    #expect(try JSON(text: value.canonicalText) == value)
  }

  @Test(arguments: ["", "{", "[1 2]", "nul", "{\"a\":1}x", "NaN", "\"\\ud800\"", "{\"a\" 1}"])
  func `text that is not JSON is an error`(_ text: String) {
    #expect(throws: MemoryError.self) { try JSON(text: text) }
  }

  @Test(arguments: ["9223372036854775807", "9223372036854775808", "18446744073709551615", "-9223372036854775808"])
  func `an integer of 64 bits, signed or not, keeps its digits`(_ text: String) throws {
    let value = try JSON(text: text)
    #expect(value.canonicalText == text)
    #expect(try bytes(of: value) == value)
  }

  @Test(arguments: ["18446744073709551616", "-9223372036854775809", "12345678901234567890123"])
  func `an integer beyond 64 bits is an error instead of losing digits`(_ text: String) {
    #expect { try JSON(text: text) } throws: {
      ($0 as? MemoryError)?.message.contains("write it as a string") == true
    }
  }

  @Test(
    arguments: [
      [.integer(30), .number(30), .unsigned(30)], [.integer(0), .number(-0.0), .number(0)],
      [.unsigned(1 << 63), .number(9_223_372_036_854_775_808)], [.integer(.min), .number(-9_223_372_036_854_775_808)],
    ] as [[JSON]])
  func `equal numbers of different cases have one text and one hash`(_ values: [JSON]) throws {
    let nested = values.map { ["a": [$0]] as JSON }
    #expect(Set(values).count == 1 && Set(nested).count == 1)
    #expect(Set(nested.map(\.canonicalText)).count == 1 && Set(nested.map(\.canonicalHash)).count == 1)
    #expect(try JSON(text: nested[0].canonicalText) == nested[1])
  }

  @Test(arguments: ["30", "30.0", "3e1", "300e-1"]) func `an integer is one value in any notation`(
    _ text: String
  ) throws {
    #expect(try JSON(text: text) == .integer(30))
    #expect(try JSON(text: text).canonicalHash == JSON.number(30).canonicalHash)
  }

  @Test func `numbers that differ are different values, however close they are`() {
    let values: [JSON] = [
      .integer(.max), .unsigned(1 << 63), .unsigned(.max), .number(18_446_744_073_709_551_616), .number(0.1),
      .number(0.1.nextUp), .integer(1 << 53), .integer(1 << 53 + 1),
    ]
    #expect(Set(values).count == values.count)
    #expect(Set(values.map(\.canonicalText)).count == values.count)
  }

  @Test func `canonically equivalent names and strings are different`() throws {
    let composed = "caf\u{E9}", decomposed = "cafe\u{301}"
    let value = try JSON(text: "{\"\(composed)\":1,\"\(decomposed)\":2}")
    #expect(value.members?.count == 2)
    #expect(value[composed] == 1 && value[decomposed] == 2)
    #expect(value == [decomposed: 2, composed: 1])
    #expect(try JSON(text: value.canonicalText) == value)
    #expect(try bytes(of: value) == value)
    #expect(JSON.string(composed) != .string(decomposed))
    #expect(throws: MemoryError.self) { try JSON(text: "{\"\(composed)\":1,\"\(composed)\":2}") }
  }

  @Test func `members are set, replaced and removed by name`() {
    var members: JSON.Object = ["b": 1, "a": 2, "b": 3]
    #expect(members.map(\.name) == ["a", "b"] && members["b"] == 3)
    members["c"] = 4
    members["aa"] = 5
    members["a"] = nil
    members["none"] = nil
    #expect(JSON.object(members).canonicalText == #"{"aa":5,"b":3,"c":4}"#)
  }

  @Test func `output escapes control and invisible characters, and reads back as the same value`() throws {
    let invisible: [UInt32] = [
      0x00, 0x1B, 0x7F, 0x80, 0x9B, 0x9F, 0xAD, 0x61C, 0x180E, 0x200B, 0x200F, 0x2028, 0x2029, 0x202E, 0x2060, 0x2069,
      0xFEFF, 0xFFF9, 0xE0001, 0xE0041, 0xE007F,
    ]
    let visible = "é日本🙈\u{2027}\u{202F}\u{FFFC}\u{FE0F}\u{10FFFF}"
    let text = String(String.UnicodeScalarView(invisible.compactMap(Unicode.Scalar.init))) + visible
    let value: JSON = [text: .string(text)]
    let output = value.outputText
    for scalar in output.unicodeScalars { #expect(!invisible.contains(scalar.value), "\(scalar.value)") }
    #expect(output.contains("\\u009b") && output.contains("\\udb40\\udc41") && output.contains(visible))
    #expect(value.canonicalText.unicodeScalars.contains("\u{202E}"), "what is stored and hashed stays as it was")
    #expect(
      try JSON(text: output.replacing("\\u0000", with: ""))
        == JSON(text: value.canonicalText.replacing("\\u0000", with: "")))
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `random values survive text and bytes`(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let value = JSON.random(&generator, depth: 4)
      #expect(try JSON(text: value.canonicalText) == value)
      #expect(try JSON(text: value.outputText) == value)
      #expect(try bytes(of: value) == value)
    }
  }

  /// The value after a way through its binary form.
  private func bytes(of value: JSON) throws -> JSON {
    var writer = ByteWriter()
    writer.write(value)
    return try writer.bytes.withUnsafeBytes { bytes in
      var reader = ByteReader(bytes.bytes)
      return try reader.json()
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
        Object(
          (0..<Int.random(in: 0...3, using: &generator)).map { _ in
            ("k\(Int.random(in: 0...9, using: &generator))", random(&generator, depth: depth - 1))
          }))
    }
  }
}
