import StoreValues
import TestSupport
import Testing

@testable import StoreRows

@Suite struct `Stored JSON that the engine would not write` {
  static let texts: [(stored: String, shown: JSON)] = [
    (#"{"a":1,"a":2}"#, ["a": 2]), (#"{"a":[{"b":1,"b":{"c":2,"c":3}}]}"#, ["a": [["b": ["c": 3]]]]),
    (#"{"a":999999999999999999999}"#, ["a": "999999999999999999999"]), (#"{"a":-1e999}"#, ["a": "-1e999"]),
    (#"{"a":"x\u0000y"}"#, ["a": "x\u{FFFD}y"]), (#"{"a":"\ud800"}"#, ["a": "\u{FFFD}"]),
    (#"{"a":"\ud83d\ude00 \ud800 \n\\\"\/"}"#, ["a": "😀 \u{FFFD} \n\\\"/"]),
    ("{\"a\":\"tab\there\",\"a\":1}", ["a": 1]),
    ("[1,2]", ["": [1, 2]]), ("7", ["": 7]), ("{", ["": "{"]), ("", ["": ""]), (#"{"a":"#, ["": #"{"a":"#]),
    (#"{"a":"\"#, ["": #"{"a":"\"#]), (#"{"a":1}}"#, ["": #"{"a":1}}"#]),
  ]

  @Test(arguments: texts) func `is approximated by the values that JSON can represent`(
    _ text: (stored: String, shown: JSON)
  ) {
    #expect(JSON(storedObject: text.stored) == text.shown)
  }

  @Test(arguments: [254, 255, 256, 257, 1000, 100_000])
  func `becomes a string at the depth at which it could not be written again`(
    _ depth: Int
  ) throws {
    let text = #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
    let shown = JSON(storedObject: text)
    #expect(shown.members?.map(\.name) == ["a"])
    #expect(throws: Never.self) { try JSON(text: shown.canonicalText) }
  }
}
