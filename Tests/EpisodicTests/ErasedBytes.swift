import Foundation
import TestSupport
import Testing

/// Looks for texts in all files of a store, in a child process, since a database must not be opened beside SQLite (I5).
struct ErasedBytes {
  let directory: TemporaryDirectory

  /// UTF-8, UTF-16 in both orders, and base64 at the three alignments, each of the composed and the decomposed text.
  static func forms(of text: String) -> [[UInt8]] {
    var forms: Set<[UInt8]> = []
    for form in [text.precomposedStringWithCanonicalMapping, text.decomposedStringWithCanonicalMapping] {
      forms.insert(Array(form.utf8))
      forms.insert(form.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
      forms.insert(form.utf16.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] })
      for shift in 0..<3 {
        // Without the digits that depend on the bytes before and behind.
        let padded = Data(repeating: 0, count: shift) + Data(form.utf8)
        let digits = padded.base64EncodedString().filter { $0 != "=" }
        forms.insert(Array(digits.dropFirst(shift == 0 ? 0 : 4).dropLast(2).utf8))
      }
    }
    return forms.filter { $0.count >= 8 }
  }

  /// - Parameter excluded: Directories of copies, which are not cleaned.
  /// - Returns: The files that have one of the texts, each with how often.
  func files(under store: String, with texts: [String], excluding excluded: String? = nil) throws -> [String] {
    let list = directory.file("patterns-\(UUID().uuidString)")
    let patterns = texts.flatMap(Self.forms).map { pattern in pattern.map { String(format: "%02x", $0) }.joined() }
    try (patterns.joined(separator: "\n") + "\n").write(toFile: list, atomically: false, encoding: .utf8)
    let child = try Child("StoreWorker", ["scan", store, list], in: directory)
    try child.expectSuccess()
    let lines = try child.lines
    try #require(lines.last == "scanned")
    return lines.dropLast().filter { line in excluded.map { !line.hasPrefix($0) } ?? true }
  }
}

extension Child {
  /// Waits for the end, which must be without an error.
  func expectSuccess() throws {
    let status = wait()
    let errors = try standardError
    #expect(status == 0, "\(errors)")
  }
}
