package import EpisodicMemory
import Foundation

/// Where the server listens: a Unix socket or a loopback address, which no other machine reaches.
package enum ListeningAddress: Equatable, Sendable {
  case unixSocket(path: String)
  case loopback(LoopbackHost, port: UInt16)

  /// - Parameter text: `unix:PATH`, `127.0.0.1:PORT`, `[::1]:PORT` or `localhost:PORT`; the port 0 for any that is free.
  /// - Throws: `.invalid`.
  package init(_ text: String) throws(MemoryError) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty, !path.utf8.contains(0), !path.hasSuffix("/"), path.utf8.count <= Self.maximumPathBytes else {
        throw MemoryError(
          .invalid,
          "the socket \"\(path.onOneLine.shortened(to: 200))\" is not the path of a file of 1 to \(Self.maximumPathBytes) bytes; name a shorter one"
        )
      }
      self = .unixSocket(path: path)
      return
    }
    guard let match = text.wholeMatch(of: /(.*):([0-9]{1,5})/), let port = UInt16(match.2) else {
      throw MemoryError(
        .invalid,
        "\"\(text.onOneLine.shortened(to: 100))\" is no address; give unix:PATH, 127.0.0.1:PORT or [::1]:PORT (port 0 for any)"
      )
    }
    guard let host = LoopbackHost(match.1 == "localhost" ? "127.0.0.1" : String(match.1)) else {
      throw MemoryError(
        .invalid,
        "\(match.1.isEmpty ? "every address" : String(match.1).onOneLine.shortened(to: 100)) can be reached from other machines, and "
          + "only this one is served; give 127.0.0.1:\(port), [::1]:\(port) or unix:PATH, and forward it by ssh -L from elsewhere"
      )
    }
    self = .loopback(host, port: port)
  }

  /// Of the field for the path, which ends with a NUL.
  private static let maximumPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
}
