extension OmissionMarker {
  /// `[17271 lines, 99345 bytes left out]`.
  package var description: String { "[\(counted(lines, "line")), \(counted(bytes, "byte")) left out]" }

  /// Replaces the markers in a text by their descriptions.
  package static func described(in text: String) -> String {
    guard text.contains(ellipsis) else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { OmissionMarker($0)?.description ?? String($0) }.joined(separator: "\n")
  }
}

/// `1 step`, `2 steps`.
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
