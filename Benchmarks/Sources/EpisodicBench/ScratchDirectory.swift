import Dispatch
import Foundation

/// The folder of a run.
struct ScratchDirectory: Sendable {
  let path: String

  init(in parent: String) throws {
    path = URL(filePath: parent).appending(path: "episodic-bench-\(UUID().uuidString)").path(percentEncoded: false)
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw BenchError(
        "\(parent) cannot hold a folder (\((error as NSError).localizedDescription)); choose another --directory")
    }
  }

  func path(of name: String) -> String { path + "/" + name }

  /// Removes the folder on SIGINT, while the returned source is alive.
  func removeOnInterrupt() -> any DispatchSourceSignal {
    signal(SIGINT, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler {
      remove()
      exit(130)
    }
    source.resume()
    return source
  }

  func remove() {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      FileHandle.standardError.write(Data("bench: \(path) could not be removed: \(error)\n".utf8))
    }
  }
}
