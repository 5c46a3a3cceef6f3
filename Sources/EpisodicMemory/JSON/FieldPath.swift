/// Where in a JSON value something stands: `steps[3].duration_ms`.
struct FieldPath: CustomStringConvertible {
  private enum Part {
    case member(String)
    case element(Int)
  }

  private var parts: [Part] = []

  var isEmpty: Bool { parts.isEmpty }
  var depth: Int { parts.count }

  mutating func append(_ name: String) { parts.append(.member(name)) }
  mutating func append(_ index: Int) { parts.append(.element(index)) }
  mutating func removeLast() { parts.removeLast() }

  /// The path of a member of what this path leads to.
  func member(_ name: String) -> FieldPath {
    var path = self
    path.append(name)
    return path
  }

  var description: String {
    var text = ""
    for part in parts {
      switch part {
      case .member(let name): text += (text.isEmpty ? "" : ".") + name.shortened(to: 64)
      case .element(let index): text += "[\(index)]"
      }
    }
    return text
  }
}

extension JSON {
  /// The value on one short line, for a message.
  var shortened: String { canonicalText.shortened(to: 60) }
}
