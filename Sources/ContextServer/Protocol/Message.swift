package import EpisodicMemory

/// What a client sends: one line of standard input, or the body of an HTTP request.
package enum Message: Sendable {
  /// An id that the answer repeats: a string or a whole number.
  package typealias RequestID = JSON

  case request(Request)
  case notification(method: String, parameters: JSON.Object)
  /// An answer to a request; the server makes none.
  case response
  /// White space only.
  case nothing
  case invalid(ProtocolFault, id: RequestID?)

  package struct Request: Sendable {
    package let id: RequestID
    package let method: String
    package let parameters: JSON.Object
    /// Characters that cannot be stored, such as NUL, and were replaced by U+FFFD.
    let repairs: Int

    package var meta: JSON.Object { parameters["_meta"]?.members ?? [:] }
    /// Whether it is of the era without `initialize`, in this revision or another.
    package var isModern: Bool { meta[MetaKey.version] != nil }
  }

  /// - Parameter text: JSON in UTF-8. What is no message is `.invalid`.
  package init(_ text: [UInt8]) {
    guard text.contains(where: { !Self.whiteSpace.contains($0) }) else {
      self = .nothing
      return
    }
    do throws(ProtocolFault) {
      let (value, repairs) = try Self.parse(text)
      self.init(value, repairs: repairs)
    } catch {
      self = .invalid(error, id: nil)
    }
  }

  /// The messages of a batch, which only the revision 2025-03-26 has; `nil` if the text is no array.
  package static func batch(_ text: [UInt8]) -> [Message]? {
    guard text.first(where: { !whiteSpace.contains($0) }) == UInt8(ascii: "[") else { return nil }
    do throws(ProtocolFault) {
      guard case (.array(let values), let repairs) = try parse(text) else { return nil }
      return values.map { Message($0, repairs: repairs) }
    } catch {
      return [.invalid(error, id: nil)]
    }
  }

  /// Of a message that was longer than `MCPServer.maximumMessageBytes` and was not kept.
  package static var tooLong: Message {
    .invalid(
      ProtocolFault(
        .parse, "the message is longer than \(MCPServer.maximumMessageBytes >> 20) MiB; record less at once"),
      id: nil)
  }

  /// Whether the server sends something for it.
  package var isAnswered: Bool {
    switch self {
    case .request, .invalid: true
    case .notification, .response, .nothing: false
    }
  }

  private static let whiteSpace: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]

  private static func parse(_ text: [UInt8]) throws(ProtocolFault) -> (JSON, repairs: Int) {
    do {
      // Bytes that are not UTF-8 break the protocol; an escaped NUL or half of a surrogate pair is only no text.
      _ = try UTF8Span(validating: text.span)
    } catch {
      throw ProtocolFault(
        .parse, "the message is not UTF-8 from byte \(error.byteOffsets.lowerBound + 1) on; send UTF-8")
    }
    do throws(MemoryError) {
      var scanner = try JSONScanner(text, repair: .applied)
      let value = try scanner.value()
      try scanner.end()
      return (value, scanner.repairs)
    } catch {
      throw ProtocolFault(.parse, error.message.onOneLine)
    }
  }

  private init(_ value: JSON, repairs: Int) {
    func refused(_ message: String, id: RequestID? = nil) -> Message {
      .invalid(ProtocolFault(.invalidRequest, message), id: id)
    }
    guard let members = value.members else {
      self = refused("the message is no JSON object; send one at a time, without a batch")
      return
    }
    var id: RequestID?
    switch members["id"] {
    case .none: break
    case .string?, .integer?, .unsigned?: id = members["id"]
    case let other?:
      self = refused("id is \(other.shortened); send a string or a whole number")
      return
    }
    guard members["jsonrpc"] == "2.0" else {
      self = refused("jsonrpc is \(members["jsonrpc"]?.shortened ?? "missing"); send \"2.0\"", id: id)
      return
    }
    switch members["method"] {
    case .none where members["result"] != nil || members["error"] != nil: self = .response
    case .string(let method)?:
      guard let parameters = (members["params"] ?? [:]).members else {
        let fault = ProtocolFault(
          .invalidParameters, "params is \(members["params"]?.shortened ?? "null"); send an object")
        self = id == nil ? .nothing : .invalid(fault, id: id)
        return
      }
      self =
        id.map {
          .request(Request(id: $0, method: method, parameters: parameters, repairs: repairs))
        } ?? .notification(method: method, parameters: parameters)
    default: self = refused("method is \(members["method"]?.shortened ?? "missing"); send its name", id: id)
    }
  }
}
