/// Replaces credentials of known shapes, so that they are not stored, searched or recalled.
///
/// Known are tokens that their issuer made recognisable (`CredentialShape`), JSON Web Tokens, private keys in PEM, the
/// password in a URL, authorization headers, and values assigned to names such as `DB_PASSWORD` or `api_key`. A secret
/// without a shape and without such a name passes. Linear time; the text is read once.
package enum CredentialRedactor {
  /// A credential found in a text.
  package struct Finding: Hashable, Sendable {
    /// What is to be replaced, in bytes.
    package let range: Range<Int>
    /// Where what gives it away begins: at it, or at the name or scheme before it. A text is not to be cut between the two.
    package let start: Int
    /// What it is, such as `github-token`.
    package let kind: String

    /// What stands for it: `[redacted:github-token]`.
    package var replacement: String { "[redacted:\(kind)]" }
  }

  /// Every credential in a text, in order and without overlap.
  package static func findings(in bytes: [UInt8]) -> [Finding] {
    var scanner = CredentialScanner(bytes)
    return scanner.scan()
  }

  /// The text without its credentials, and how many there were.
  package static func redact(_ text: String) -> (text: String, count: Int) {
    let bytes = Array(text.utf8)
    let findings = findings(in: bytes)
    guard !findings.isEmpty else { return (text, 0) }
    return (String(decoding: replacing(findings, in: bytes[...]), as: UTF8.self), findings.count)
  }

  /// A part of the text in which they were found, with those replaced that lie in it whole.
  package static func replacing(_ findings: [Finding], in part: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(part.count)
    var copied = part.startIndex
    for finding in findings {
      guard finding.range.lowerBound >= copied, finding.range.upperBound <= part.endIndex else { continue }
      result += part[copied..<finding.range.lowerBound]
      result += finding.replacement.utf8
      copied = finding.range.upperBound
    }
    return result + part[copied...]
  }
}
