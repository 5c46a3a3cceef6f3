import Foundation
import Testing

@testable import Episodic

/// Holds the DocC page Doctor to the code.
@Suite struct `The page of findings` {
  static let page = "Sources/Episodic/Episodic.docc/Doctor.md"

  @Test func `every code is on it once, with its severity, what to do and whether a repair mends it`() throws {
    let rows = try Documentation.text(Self.page).split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
    }
    #expect(rows.count == FindingCode.allCases.count)
    for code in FindingCode.allCases {
      let found = rows.filter { $0[1] == "`\(code.rawValue)`" }
      try #require(found.count == 1, "\(code.rawValue) is in \(found.count) rows of \(Self.page)")
      let row = found[0]
      try #require(row.count == 7, "\(row)")
      #expect(row[2] == code.severity.rawValue, "\(row)")
      #expect(row[3].count > 20, "\(row)")
      #expect(row[4] == code.remedy, "\(row)")
      #expect(row[5] == (code.isMendable ? "yes" : ""), "\(row)")
    }
  }

  @Test(arguments: FindingCode.allCases) func `a code is words with hyphens, and a remedy has no option of a command`(
    _ code: FindingCode
  ) {
    #expect(code.rawValue.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil)
    #expect(!code.remedy.contains("--") && !code.remedy.contains("episodic "))
    #expect(code.severity != .damage || !code.isMendable, "what is damaged is not changed")
  }
}
