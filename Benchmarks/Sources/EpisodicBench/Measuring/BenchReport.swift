import Foundation

/// What a benchmark found, for people and for programs.
protocol BenchReport: Encodable {
  var text: String { get }
  /// Why the figures are not what their names say, or what is wrong; the program then ends with 1.
  var failure: String? { get }
}

extension BenchReport {
  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }
}
