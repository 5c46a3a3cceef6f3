import Episodic

extension OmissionMarker {
  /// `[17271 lines, 99345 bytes left out]`.
  var description: String { "[\(counted(lines, "line")), \(counted(bytes, "byte")) left out]" }

  /// Replaces the markers in a text by their descriptions.
  static func described(in text: String) -> String {
    guard text.contains(ellipsis) else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { OmissionMarker($0)?.description ?? String($0) }.joined(separator: "\n")
  }
}
