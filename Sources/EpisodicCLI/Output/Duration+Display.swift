import Episodic

extension Duration {
  /// `12ms`, `1.5s`, `2m 3s`.
  var displayText: String {
    let milliseconds = milliseconds
    if milliseconds < 1000 { return "\(milliseconds)ms" }
    if milliseconds < 60_000 { return "\(Double(milliseconds / 100) / 10)s" }
    return "\(milliseconds / 60_000)m \(milliseconds / 1000 % 60)s"
  }
}
