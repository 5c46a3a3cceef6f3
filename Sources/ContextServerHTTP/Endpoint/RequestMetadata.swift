import ContextServer
import EpisodicMemory
import Foundation

/// The headers that repeat what a message says, for programs on the way that do not read it. From 2026-07-28 on they are required;
/// where they differ, such a program and the server would act on different requests.
struct RequestMetadata {
  static let version = "mcp-protocol-version"

  private let fields: HeaderFields

  init(_ fields: HeaderFields) { self.fields = fields }

  func check(_ request: Message.Request) throws(ProtocolFault) {
    let version = try one(Self.version)
    guard request.isModern else {
      guard let version, !ProtocolVersion.legacy.contains(version) else { return }
      guard version == ProtocolVersion.modern else { throw .unsupportedVersion(.string(version)) }
      throw Self.mismatch(
        Self.version, version, "no \(MetaKey.version) in the message's _meta", "send it in both, or call initialize")
    }
    try compare(Self.version, version, request.meta[MetaKey.version])
    try compare("mcp-method", try one("mcp-method"), .string(request.method))
    switch request.method {
    case "tools/call", "prompts/get": try compareName(request.parameters["name"])
    case "resources/read": try compareName(request.parameters["uri"])
    default: break
    }
  }

  /// A name that the message lacks is told by the method.
  private func compareName(_ name: JSON?) throws(ProtocolFault) {
    guard let name else { return }
    let header = try one("mcp-name")
    try compare("mcp-name", try header.map { value throws(ProtocolFault) in try Self.decoded(value) }, name)
  }

  private func compare(_ name: String, _ header: String?, _ value: JSON?) throws(ProtocolFault) {
    guard let header else {
      throw ProtocolFault(.headerMismatch, "the header \(name) is missing; send it with what the message has")
    }
    guard value == .string(header) else {
      throw Self.mismatch(name, header, value?.shortened ?? "nothing", "send the same in both")
    }
  }

  private func one(_ name: String) throws(ProtocolFault) -> String? {
    do throws(Refusal) {
      return try fields.one(name)
    } catch {
      throw ProtocolFault(.headerMismatch, error.message)
    }
  }

  /// What is no plain ASCII is in Base64 between marks.
  private static func decoded(_ value: String) throws(ProtocolFault) -> String {
    let (prefix, suffix) = ("=?base64?", "?=")
    guard value.hasPrefix(prefix), value.hasSuffix(suffix), value.utf8.count >= prefix.utf8.count + suffix.utf8.count
    else {
      return value
    }
    let text = String(value.dropFirst(prefix.count).dropLast(suffix.count))
    guard let data = Data(base64Encoded: text), let decoded = String(validating: data, as: UTF8.self) else {
      throw ProtocolFault(.headerMismatch, "the header mcp-name has no UTF-8 in Base64; send the name's")
    }
    return decoded
  }

  private static func mismatch(_ name: String, _ header: String, _ value: String, _ remedy: String) -> ProtocolFault {
    ProtocolFault(
      .headerMismatch,
      "the header \(name) is \"\(header.onOneLine.shortened(to: 60))\", and the message has \(value); \(remedy)")
  }
}
