import Episodic
import Foundation

extension StoreWorker {
  /// Reads episodes, recalls them and writes others, until a file `forgotten` is beside the store; then none of the episodes may
  /// be seen any more, by the next read on.
  ///
  /// - Parameter list: A file with a line for each episode: its id, a space and its text.
  static func witness(_ memory: Memory, name: String, of list: String) async throws {
    let lines = try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n")
    let wanted = lines.compactMap { line -> (Episode.ID, String)? in
      let parts = line.split(separator: " ", maxSplits: 1)
      return parts.count == 2 ? (Episode.ID(String(parts[0])), String(parts[1])) : nil
    }
    let flag = URL(filePath: list).deletingLastPathComponent().appending(path: "forgotten").path(percentEncoded: false)
    var round = 0
    while true {
      let isForgotten = FileManager.default.fileExists(atPath: flag)
      for (id, text) in wanted {
        let found = try await memory.episode(id)
        let hits = try await memory.recall(Query(text: text, scope: .everything))
        if isForgotten, found != nil || hits.contains(where: { $0.episode.id == id }) {
          throw Failure("stale read: \(id) is seen after it was forgotten")
        }
      }
      if isForgotten { break }
      let own = try await memory.begin(.init(.testing, domain: "witness", context: "round \(round) of \(name)"))
      try await memory.append((1...5).map { Step.Draft("witnessed \($0)", result: "fine") }, to: own.id)
      try await memory.complete(own.id)
      round += 1
      if round == 1 { acknowledge("reading") }
    }
    acknowledge("gone")
    try await memory.close()
  }

  /// Erases a text everywhere.
  static func forget(_ memory: Memory, text: String) async throws {
    acknowledge("begun")
    let receipt = try await memory.forget(.text(text), in: .everything)
    acknowledge("done \(receipt.cleanedAt != nil)")
    try await memory.close()
  }

  /// Prints the files under a directory that have one of some patterns, in a process that has no database open.
  ///
  /// - Parameter list: A file with a pattern a line, in hexadecimal, of eight bytes or more.
  static func scan(_ directory: String, for list: String) throws {
    var patterns: [UInt64: [[UInt8]]] = [:]
    for line in try String(contentsOfFile: list, encoding: .utf8).split(separator: "\n") {
      let digits = Array(line.utf8)
      let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16)
      }
      guard bytes.count >= 8 else { throw Failure("\(line) is too short a pattern") }
      patterns[bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }, default: []].append(bytes)
    }
    for path in try FileManager.default.subpathsOfDirectory(atPath: directory) {
      guard let content = FileManager.default.contents(atPath: directory + "/" + path) else { continue }
      let found = content.withUnsafeBytes { file -> Int in
        guard file.count >= 8 else { return 0 }
        var count = 0
        for offset in 0...(file.count - 8) {
          guard let candidates = patterns[file.loadUnaligned(fromByteOffset: offset, as: UInt64.self)] else { continue }
          count += candidates.count { pattern in
            offset + pattern.count <= file.count && file[offset..<(offset + pattern.count)].elementsEqual(pattern)
          }
        }
        return count
      }
      if found > 0 { acknowledge("\(path) \(found)") }
    }
    acknowledge("scanned")
  }
}
