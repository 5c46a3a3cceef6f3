import Synchronization

/// One client of a server: the ids of its requests are its own, and what it records has its name.
///
/// Standard input and output are one session. Over HTTP `initialize` begins one; in the modern era each request is one.
package final class ClientSession: Sendable {
  /// What the client called itself in `initialize`.
  private let client = Mutex<String?>(nil)

  package init() {}

  var clientName: String? {
    get { client.withLock { $0 } }
    set { client.withLock { $0 = newValue } }
  }
}

extension ClientSession: Hashable {
  package static func == (a: ClientSession, b: ClientSession) -> Bool { a === b }
  package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
