import EpisodicMemory

/// One line of a client.
enum Message {
  /// An id that the answer repeats: a string or a whole number.
  typealias RequestID = JSON

  case request(Request)
  case notification(method: String, parameters: JSON.Object)
  /// An answer to a request; the server makes none.
  case response
  /// An empty line.
  case nothing
  case invalid(ProtocolFault, id: RequestID?)

  struct Request {
    let id: RequestID
    let method: String
    let parameters: JSON.Object
    /// Characters that cannot be stored, such as NUL, and were replaced by U+FFFD.
    let repairs: Int

    var meta: JSON.Object { parameters["_meta"]?.members ?? [:] }
  }

  /// - Parameter line: Without its end. A line that is no message is `.invalid`.
  init(line: [UInt8]) {
    guard line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) else {
      self = .nothing
      return
    }
    do {
      // Bytes that are not UTF-8 break the protocol; an escaped NUL or half of a surrogate pair is only no text.
      _ = try UTF8Span(validating: line.span)
    } catch {
      self = .invalid(
        ProtocolFault(.parse, "the line is not UTF-8 from byte \(error.byteOffsets.lowerBound + 1) on; send UTF-8"),
        id: nil)
      return
    }
    do throws(MemoryError) {
      var scanner = try JSONScanner(line, repair: .applied)
      let value = try scanner.value()
      try scanner.end()
      self.init(value, repairs: scanner.repairs)
    } catch {
      self = .invalid(ProtocolFault(.parse, error.message.onOneLine), id: nil)
    }
  }

  private init(_ value: JSON, repairs: Int) {
    func refused(_ message: String, id: RequestID? = nil) -> Message {
      .invalid(ProtocolFault(.invalidRequest, message), id: id)
    }
    guard let members = value.members else {
      self = refused("the line is no JSON object; send one message a line, without a batch")
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
