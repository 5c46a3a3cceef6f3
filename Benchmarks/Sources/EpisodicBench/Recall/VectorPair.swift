import Episodic
import Foundation

/// `NAME.episodes.f32` and `NAME.queries.f32` beside the lines they belong to.
struct VectorPair {
  let episodes: VectorSource
  let queries: VectorSource

  /// `nil` where the folder has none.
  init?(in folder: String) throws {
    let suffix = ".episodes.f32"
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    guard let file = files.first(where: { $0.hasSuffix(suffix) }) else { return nil }
    let model = String(file.dropLast(suffix.count))
    let path = folder + "/" + file
    let text = try Data(contentsOf: URL(filePath: folder + "/episodes.jsonl"))
    let lines = text.split(separator: UInt8(ascii: "\n")).count
    let bytes = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    guard lines > 0, bytes > 0, bytes.isMultiple(of: 4 * lines) else {
      throw BenchError("\(path) has \(bytes) bytes, no float32 rows for \(lines) episodes")
    }
    let dimensions = bytes / 4 / lines
    episodes = VectorSource(.file(path), model: model, dimensions: dimensions)
    queries = VectorSource(.file("\(folder)/\(model).queries.f32"), model: model, dimensions: dimensions)
  }
}
