/// The revisions of the Model Context Protocol that the server speaks.
///
/// Up to 2025-11-25 a connection begins with `initialize`. From 2026-07-28 on there is no connection: each request says its
/// revision and the client in `_meta`. Which of the two holds is decided for each request.
package enum ProtocolVersion {
  /// Without `initialize`.
  package static let modern = "2026-07-28"
  /// With `initialize`, newest first.
  package static let legacy = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
  package static let all = [modern] + legacy
}

/// Members of `_meta` that the protocol reserves.
package enum MetaKey {
  package static let version = "io.modelcontextprotocol/protocolVersion"
  static let clientInfo = "io.modelcontextprotocol/clientInfo"
  static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
  static let serverInfo = "io.modelcontextprotocol/serverInfo"
}
