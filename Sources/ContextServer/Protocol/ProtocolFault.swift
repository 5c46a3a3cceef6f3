import EpisodicMemory

/// An error of the protocol, which is an answer without a result.
///
/// Wrong arguments of a tool are none: they are a result that a model reads and corrects.
struct ProtocolFault: Error, Equatable {
  enum Code: Int64 {
    case parse = -32700
    case invalidRequest = -32600
    case unknownMethod = -32601
    case invalidParameters = -32602
    /// The store could not be used for a resource.
    case unavailable = -32000
    /// An unknown resource, up to 2025-11-25.
    case unknownResource = -32002
    case unsupportedVersion = -32022
  }

  let code: Code
  /// Names the thing, its value and the remedy.
  let message: String
  var data: JSON?

  init(_ code: Code, _ message: String, data: JSON? = nil) {
    (self.code, self.message, self.data) = (code, message, data)
  }

  var json: JSON {
    var members: JSON.Object = ["code": .integer(code.rawValue), "message": .string(message)]
    if let data { members["data"] = data }
    return .object(members)
  }
}
