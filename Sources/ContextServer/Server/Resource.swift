import EpisodicMemory
import Foundation

/// What a user can look at or attach, beside the tools.
struct Resource {
  private enum Kind {
    case domain
    case recent
    case patterns
    case episode(String)
  }

  private static let scheme = "episodic://"
  private static let recentEpisodes = 20
  private static let tokens = 8000

  let uri: String
  private let kind: Kind

  static func listed(_ options: MCPServer.Options) -> [JSON] {
    func resource(_ name: String, _ title: String, _ description: String) -> JSON {
      [
        "uri": .string(scheme + name), "name": .string(name), "title": .string(title),
        "description": .string(description), "mimeType": "text/plain",
      ]
    }
    return [
      resource("domain", "What the memory has", "Attempts by status, and when one was last recorded."),
      resource("recent", "Recent attempts", "The newest \(recentEpisodes) attempts with their outcomes."),
      resource("patterns", "Patterns", "What proved itself over several attempts."),
    ]
  }

  static var templates: [JSON] {
    [
      [
        "uriTemplate": .string(scheme + "episode/{id}"), "name": "episode", "title": "An attempt",
        "description": "One attempt with its steps.", "mimeType": "text/plain",
      ]
    ]
  }

  init(_ parameters: JSON.Object, _ era: Era) throws(ProtocolFault) {
    guard case .string(let uri)? = parameters["uri"] else {
      throw ProtocolFault(.invalidParameters, "uri is missing; send the address of a resource")
    }
    self.uri = uri
    switch uri {
    case Self.scheme + "domain": kind = .domain
    case Self.scheme + "recent": kind = .recent
    case Self.scheme + "patterns": kind = .patterns
    case _ where uri.hasPrefix(Self.scheme + "episode/"):
      guard let id = uri.dropFirst(Self.scheme.count + 8).removingPercentEncoding, !id.isEmpty else { fallthrough }
      kind = .episode(id)
    default:
      throw era.unknownResource("there is no resource \"\(uri.onOneLine.shortened(to: 80))\"; see resources/list")
    }
  }

  /// - Throws: `.notFound` for an episode that is not in the domain.
  func text(_ call: ToolCall) async throws(MemoryError) -> String {
    switch kind {
    case .domain: return try await Self.summary(call)
    case .recent:
      let page = try await call.handle.episodes(limit: Self.recentEpisodes, steps: .none)
      let notes = page.elements.map { NoteText.head($0) + NoteText.context($0) }
      return Self.frame(notes, "recorded notes of the newest attempts")
    case .patterns:
      let patterns = try await call.handle.patterns(Pattern.Filter(limit: 50))
      return Self.frame(patterns.map(Self.note), "patterns of recorded attempts")
    case .episode(let id): return try await ShowTool.result(id, 1...Int.max, Self.tokens, call).text
    }
  }

  private static func summary(_ call: ToolCall) async throws(MemoryError) -> String {
    guard let domain = try await call.memory.domains().first(where: { $0.name == call.handle.name }) else {
      return "domain \(call.domain.onOneLine): nothing is recorded yet"
    }
    let counts = Episode.Status.allCases.compactMap { status in
      domain.episodes[status].map { "\($0) \(status.rawValue)" }
    }
    return
      "domain \(call.domain.onOneLine): \(counts.joined(separator: ", ")); last recorded \(domain.lastActivity.toTheSecond)"
  }

  private static func note(_ pattern: Pattern) -> String {
    let rate = pattern.successRate.map { ", success rate \(Int(($0 * 100).rounded()))%" } ?? ""
    let facts = "\(pattern.type.rawValue.onOneLine), used \(pattern.usageCount) times\(rate), id \(pattern.id.rawValue)"
    return MarkedFrame.quoted("\(facts)\n\(pattern.data.outputText.visible)")
  }

  /// As many notes as fit.
  private static func frame(_ notes: [String], _ source: String) -> String {
    var room = tokens - MarkedFrame.tokens(source: source)
    let fitting = notes.prefix { note in
      room -= TokenEstimate.count(note)
      return room >= 0
    }
    return MarkedFrame(fitting.isEmpty ? "| none\n" : fitting.joined(separator: "|\n"), source: source).text
  }
}
