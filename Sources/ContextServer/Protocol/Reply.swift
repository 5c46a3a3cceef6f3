package import EpisodicMemory

/// What a server sends for a message of a client.
package enum Reply: Sendable {
  /// A notification of how far the request is; more follows.
  case progress(JSON)
  /// The last one, with the code of the protocol's error if it is one.
  case answer(JSON, ProtocolFault.Code?)
  /// The last one: the request was cancelled, which nobody is told.
  case cancelled

  /// What the client reads.
  package var message: JSON? {
    switch self {
    case .progress(let message), .answer(let message, _): message
    case .cancelled: nil
    }
  }

  package var isLast: Bool {
    if case .progress = self { false } else { true }
  }

  static func result(_ id: Message.RequestID, _ members: JSON.Object) -> Reply {
    .answer(["jsonrpc": "2.0", "id": id, "result": .object(members)], nil)
  }

  /// - Parameter id: `nil` if the message has none that can be read.
  package static func fault(_ id: Message.RequestID?, _ fault: ProtocolFault) -> Reply {
    .answer(["jsonrpc": "2.0", "id": id ?? .null, "error": fault.json], fault.code)
  }
}
