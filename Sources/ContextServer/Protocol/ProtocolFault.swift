package import EpisodicMemory

/// An error of the protocol, which is an answer without a result.
///
/// Wrong arguments of a tool are none: they are a result that a model reads and corrects.
package struct ProtocolFault: Error, Equatable {
  package enum Code: Int64, Sendable {
    case parse = -32700
    case invalidRequest = -32600
    case unknownMethod = -32601
    case invalidParameters = -32602
    /// The store could not be used for a resource.
    case unavailable = -32000
    /// An unknown resource, up to 2025-11-25.
    case unknownResource = -32002
    /// Headers of HTTP that are not those of the message, from 2026-07-28 on.
    case headerMismatch = -32020
    case unsupportedVersion = -32022
  }

  let code: Code
  /// Names the thing, its value and the remedy.
  let message: String
  package var data: JSON?

  package init(_ code: Code, _ message: String, data: JSON? = nil) {
    (self.code, self.message, self.data) = (code, message, data)
  }

  var json: JSON {
    var members: JSON.Object = ["code": .integer(code.rawValue), "message": .string(message)]
    if let data { members["data"] = data }
    return .object(members)
  }

  /// A revision that the server does not speak.
  package static func unsupportedVersion(_ version: JSON) -> ProtocolFault {
    ProtocolFault(
      .unsupportedVersion, "the revision \(version.shortened) is unknown; use \(ProtocolVersion.modern)",
      data: ["supported": .array(ProtocolVersion.all.map { .string($0) }), "requested": version])
  }
}
