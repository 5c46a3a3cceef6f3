import EpisodicMemory

/// Which of the two ways of the protocol a request follows.
enum Era: Equatable {
  /// Up to 2025-11-25.
  case legacy
  /// From 2026-07-28 on.
  case modern

  /// - Throws: For a revision that the server does not speak, or a request that lacks what its revision demands.
  init(_ request: Message.Request) throws(ProtocolFault) {
    guard let version = request.meta[MetaKey.version] else {
      self = .legacy
      return
    }
    guard version == .string(ProtocolVersion.modern) else {
      throw .unsupportedVersion(version)
    }
    guard request.meta[MetaKey.clientCapabilities]?.members != nil else {
      throw ProtocolFault(
        .invalidParameters, "_meta has no object \(MetaKey.clientCapabilities); send {} for none")
    }
    self = .modern
  }

  /// A result with what the era adds.
  func result(_ members: JSON.Object, _ options: MCPServer.Options) -> JSON.Object {
    guard self == .modern else { return members }
    var members = members
    members["resultType"] = "complete"
    members["_meta"] = [MetaKey.serverInfo: Self.serverInfo(options)]
    return members
  }

  /// A result that a client may keep.
  func cacheable(_ members: JSON.Object, _ options: MCPServer.Options) -> JSON.Object {
    guard self == .modern else { return members }
    var members = result(members, options)
    // What is recorded changes at any time, and belongs to this user.
    members["ttlMs"] = 0
    members["cacheScope"] = "private"
    return members
  }

  func unknownResource(_ message: String) -> ProtocolFault {
    ProtocolFault(self == .modern ? .invalidParameters : .unknownResource, message)
  }

  static func serverInfo(_ options: MCPServer.Options) -> JSON {
    ["name": "episodic", "title": "Episodic memory", "version": .string(options.version)]
  }
}
