package import ContextServer
package import EpisodicMemory

/// The fields of a request's or an answer's head. Their names have no case.
package struct HeaderFields: Sendable {
  private let fields: [(name: String, value: String)]

  package init(_ fields: [(name: String, value: String)]) {
    self.fields = fields.map { ($0.name.lowercased(), $0.value) }
  }

  /// The values of all fields of a name.
  func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  /// The value of a field.
  ///
  /// - Throws: If there are several, of which another program on the way might believe another.
  func one(_ name: String) throws(Refusal) -> String? {
    let values = all(name)
    guard values.count <= 1 else {
      throw Refusal(400, "the header \(name) is there \(values.count) times; send it once")
    }
    return values.first
  }
}

/// What a server of HTTP knows of a request before its body.
package struct RequestHead: Sendable {
  let method: String
  let path: Substring
  let fields: HeaderFields

  /// - Parameter target: The path, and a query behind it, which nothing depends on.
  package init(method: String, target: String, fields: HeaderFields) {
    (self.method, self.fields) = (method, fields)
    path = target.prefix { $0 != "?" }
  }
}

package struct Response: Sendable {
  package enum Body: Sendable {
    case none
    case json(JSON)
    /// An event stream: a first message, and those that come until the last reply.
    case events(first: JSON?, AsyncStream<Reply>)
  }

  package let status: Int
  package private(set) var fields: [(name: String, value: String)]
  package let body: Body

  init(_ status: Int, _ body: Body = .none, fields: [(name: String, value: String)] = []) {
    (self.status, self.body) = (status, body)
    self.fields = fields
    switch body {
    case .none: break
    case .json: self.fields.append(("Content-Type", "application/json"))
    case .events:
      // A proxy that buffers would hold events back.
      self.fields += [
        ("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no"),
      ]
    }
  }

  /// A message as an event of a stream.
  package static func event(_ message: JSON) -> String { "event: message\ndata: \(message.outputText)\n\n" }
}

/// A request that HTTP answers without the protocol: with a status, and an error that has no id.
package struct Refusal: Error {
  let status: Int
  /// Names the thing, its value and the remedy.
  let message: String
  let fields: [(name: String, value: String)]

  init(_ status: Int, _ message: String, fields: [(name: String, value: String)] = []) {
    (self.status, self.message, self.fields) = (status, message, fields)
  }

  package var response: Response {
    let fault = ProtocolFault(.invalidRequest, message)
    return Response(status, Reply.fault(nil, fault).message.map { .json($0) } ?? .none, fields: fields)
  }
}
