import Foundation

/// A file with a JSON object a line.
enum LinesOfJSON {
  static func read<Line: Decodable>(_ type: Line.Type, from path: String) throws -> [Line] {
    let decoder = JSONDecoder()
    let bytes = try Data(contentsOf: URL(filePath: path))
    return try bytes.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(type, from: $0) }
  }
}
