package import EpisodicMemory

/// The tools that a server offers, always in the same order.
package struct ToolSet: Sendable {
  private static let all: [any Tool] = [RecallTool(), ShowTool(), RecordTool(), FeedbackTool(), ForgetTool()]
  private static let reading: Set = [RecallTool.name, ShowTool.name]

  let tools: [any Tool]

  /// - Parameter names: Those to offer; `nil` for all that may be.
  /// - Parameter isReadOnly: Whether tools that write are left out.
  /// - Throws: `.invalid` for a name that no tool has, or one that writes if nothing may be written.
  package init(names: [String]? = nil, isReadOnly: Bool = false) throws(MemoryError) {
    let possible = Self.all.filter { !isReadOnly || Self.reading.contains(type(of: $0).name) }
    let known = possible.map { type(of: $0).name }
    if let unknown = names?.first(where: { !known.contains($0) }) {
      throw MemoryError(
        .invalid,
        "there is no tool \"\(unknown.shortened(to: 40))\"\(isReadOnly ? " that only reads" : ""); name some of "
          + known.joined(separator: ", "))
    }
    tools = possible.filter { names?.contains(type(of: $0).name) ?? true }
  }

  subscript(name: String) -> (any Tool)? { tools.first { type(of: $0).name == name } }

  var names: [String] { tools.map { type(of: $0).name } }

  /// What a model reads before it calls any: names, descriptions and forms of arguments.
  package var definitionsForModel: String {
    JSON.array(
      tools.map(\.definition).map {
        ["name": .string($0.name), "description": .string($0.description), "input_schema": $0.inputSchema]
      }
    ).outputText
  }
}
