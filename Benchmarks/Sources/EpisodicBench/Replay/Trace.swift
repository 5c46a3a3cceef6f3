import Foundation

/// What was asked for, in order.
struct Trace {
  /// The name of its file, without the extension.
  let name: String
  /// The keys, each once, in the order in which they first occur.
  let keys: [String]
  /// For each request, the place of its key in `keys`.
  let requests: [Int]

  /// Reads a file with a key a line; empty lines say nothing.
  init(path: String) throws {
    let file = URL(filePath: path)
    let text: String
    do {
      text = try String(contentsOf: file, encoding: .utf8)
    } catch {
      throw BenchError("\(path) cannot be read as UTF-8: \((error as NSError).localizedDescription)")
    }
    var places: [Substring: Int] = [:]
    var keys: [String] = []
    requests = text.split(whereSeparator: \.isNewline).map { line in
      if let place = places[line] { return place }
      places[line] = keys.count
      keys.append(String(line))
      return keys.count - 1
    }
    self.keys = keys
    name = file.deletingPathExtension().lastPathComponent
    guard !keys.isEmpty else { throw BenchError("\(path) has no line; a trace is a key per line") }
  }

  /// Hits of a cache that never evicts.
  var endlessHits: Int { requests.count - keys.count }
}
