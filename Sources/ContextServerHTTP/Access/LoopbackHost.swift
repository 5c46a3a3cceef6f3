import Foundation

/// An address that only programs of this machine reach: 127.0.0.0/8, or [::1].
package enum LoopbackHost: Equatable, Sendable {
  case version4(String)
  case version6

  /// - Parameter text: The address as in a URL: that of version 6 in brackets.
  init?(_ text: String) {
    var version4 = in_addr()
    if inet_pton(AF_INET, text, &version4) == 1, UInt32(bigEndian: version4.s_addr) >> 24 == 127 {
      self = .version4(text)
      return
    }
    var version6 = in6_addr()
    guard text.hasPrefix("["), text.hasSuffix("]"),
      inet_pton(AF_INET6, String(text.dropFirst().dropLast()), &version6) == 1
    else { return nil }
    let isOne = withUnsafeBytes(of: version6) { bytes in bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 }
    guard isOne else { return nil }
    self = .version6
  }

  var text: String {
    switch self {
    case .version4(let text): text
    case .version6: "[::1]"
    }
  }
}
