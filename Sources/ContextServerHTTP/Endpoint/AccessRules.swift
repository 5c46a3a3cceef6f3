import EpisodicMemory
import Foundation

/// Who may ask.
///
/// A page of the web can have a browser send requests to this machine, also under a name of its own that it lets point here (DNS
/// rebinding). Such a request names the page's origin or that name.
struct AccessRules: Sendable {
  /// `nil` on a Unix socket, whose mode says who may.
  let token: BearerToken?

  func check(_ fields: HeaderFields) throws(Refusal) {
    let hosts = fields.all("host")
    guard hosts.count == 1, Self.isLoopback(authority: hosts[0][...]) else {
      throw Refusal(
        421, "the host is \(Self.shown(hosts)); this server is localhost, 127.0.0.1 or [::1]: ask it by that name")
    }
    let origins = fields.all("origin")
    guard origins.allSatisfy(Self.isLoopback(origin:)) else {
      throw Refusal(403, "the origin \(Self.shown(origins)) is not of this machine; no page of the web may ask")
    }
    guard let token else { return }
    let authorizations = fields.all("authorization")
    guard authorizations.count == 1, let presented = Self.bearer(authorizations[0]), token.matches(presented) else {
      throw Refusal(
        401,
        "the token is \(authorizations.isEmpty ? "missing" : "wrong"); send Authorization: Bearer and the token that the server has",
        fields: [("WWW-Authenticate", "Bearer realm=\"episodic\"")])
    }
  }

  private static func shown(_ values: [String]) -> String {
    values.isEmpty ? "missing" : "\"\(values.joined(separator: ", ").onOneLine.shortened(to: 100))\""
  }

  private static func bearer(_ value: String) -> Substring? {
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return parts[1]
  }

  private static func isLoopback(origin: String) -> Bool {
    for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
      return isLoopback(authority: origin.dropFirst(scheme.count))
    }
    return false
  }

  /// - Parameter authority: A host and perhaps a port, any one: it may have been forwarded.
  private static func isLoopback(authority: Substring) -> Bool {
    guard let match = authority.wholeMatch(of: /(\[[^\]]*\]|[^:\[\]]*)(:[0-9]{1,5})?/) else { return false }
    let host = match.1.lowercased()
    return host == "localhost" || LoopbackHost(host) != nil
  }
}
