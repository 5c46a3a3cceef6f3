import Episodic
import Foundation

/// A store that is filled in this run, or kept from an earlier one.
struct KeptStore<Making: Codable> {
  let folder: String
  /// What filling took, which is stored beside a kept store.
  private(set) var making: Making
  let isNew: Bool
  private let file: URL

  /// Durable and without a cache, so that only the indexes are measured.
  static var options: Memory.OpenOptions {
    var options = Memory.OpenOptions()
    options.durability = .full
    options.cache.isEnabled = false
    return options
  }

  /// Fills the store if it does not exist.
  ///
  /// - Parameter name: The file that holds `making`.
  /// - Parameter fits: Throws if the existing store is another one.
  /// - Throws: If filling an existing store was not finished.
  init(
    in folder: String, _ name: String, fill: () async throws -> Making, fits: (Making) throws -> Void
  ) async throws {
    self.folder = folder
    file = URL(filePath: folder).appending(path: name)
    isNew = !FileManager.default.fileExists(atPath: folder + "/memory.sqlite")
    if isNew {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      making = try await fill()
      try JSONEncoder().encode(making).write(to: file)
    } else {
      guard FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) else {
        throw BenchError(
          "\(folder) holds a store that an earlier run did not finish; remove it or name another --store")
      }
      making = try JSONDecoder().decode(Making.self, from: Data(contentsOf: file))
      try fits(making)
    }
  }

  mutating func update(_ making: Making) throws {
    self.making = making
    try JSONEncoder().encode(making).write(to: file)
  }

  func open() async throws -> Memory { try await Memory.open(at: folder, options: Self.options) }
}
