import Foundation
import TestSupport
import Testing

/// The DocC page Screens, made by `.ci/screens` with the built command.
///
/// `UPDATE_TRANSCRIPTS=1 swift test --filter ScreensPageTests` writes it.
@Suite struct `Screens of the documentation` {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
  static let page = root.appending(path: "Sources/Episodic/Episodic.docc/Screens.md")

  @Test func `each screen of the page is what the command prints`() throws {
    let directory = try TemporaryDirectory()
    let script = Self.root.appending(path: ".ci/screens").path(percentEncoded: false)
    let child = try Child(
      running: script,
      [Child.products.appending(path: "episodic").path(percentEncoded: false), directory.file("screens")], in: directory
    )
    let status = child.wait()
    let errors = try child.standardError
    try #require(status == 0, "\(errors)")
    var parts = try String(contentsOf: Self.page, encoding: .utf8).components(separatedBy: "\n```text\n")
    var place = 1
    for name in ["recall", "list", "show", "stats"] {
      for columns in [80, 140] {
        let screen = try String(contentsOfFile: directory.file("screens/\(name)-\(columns).txt"), encoding: .utf8)
        try #require(place < parts.count, "the page has no screen of \(name) at \(columns) columns")
        let shown = parts[place].components(separatedBy: "\n```")[0] + "\n"
        if ProcessInfo.processInfo.environment["UPDATE_TRANSCRIPTS"] != nil {
          parts[place] = screen + parts[place].dropFirst(shown.count)
        } else {
          #expect(Self.withoutSizes(shown) == Self.withoutSizes(screen), "\(name) at \(columns) columns")
          // Recorded texts of `show` are not cut.
          #expect(
            name == "show" || screen.split(separator: "\n").allSatisfy { $0.count <= columns },
            "\(name) at \(columns) columns")
        }
        place += 1
      }
    }
    if ProcessInfo.processInfo.environment["UPDATE_TRANSCRIPTS"] != nil {
      try parts.joined(separator: "\n```text\n").write(to: Self.page, atomically: true, encoding: .utf8)
    }
  }

  /// Sizes of files and the number of the schema change with the engine and the system.
  private static func withoutSizes(_ text: String) -> String {
    text.replacing(/[0-9.]+ (B|KiB|MiB)/, with: "SIZE").replacing(/schema \d+/, with: "SCHEMA").replacing(
      /[ ]+/, with: " "
    )
    .replacing(/revision \d+/, with: "REVISION").replacing(/-+/, with: "-")
  }
}
