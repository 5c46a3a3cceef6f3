package import EpisodicMemory

/// What became of logs that were read.
package struct LogReport: Sendable, Equatable {
  /// What records say that no episode has.
  struct Counts: Equatable {
    /// Results of calls that the log does not have.
    var resultsWithoutCall = 0
    /// Records before the first prompt.
    var withoutPrompt = 0
  }

  /// Names of record types that are told; those of more are counted together.
  private static let maximumTypes = 50

  package internal(set) var files = 0
  /// Files that are as they were at the last synchronisation.
  package internal(set) var unchangedFiles = 0
  /// Files of no format that is known.
  package internal(set) var unknownFiles: [String] = []
  package internal(set) var lines = 0
  package internal(set) var bytes: Int64 = 0
  /// Lines that are no records: cut, longer than a line may be, or not JSON.
  package internal(set) var badLines = 0
  /// Records that were left out, by their types.
  package private(set) var otherRecords: [String: Int] = [:]
  var counts = Counts()

  /// Episodes that are new, that grew or were corrected, and that were there already.
  package internal(set) var added = 0
  package internal(set) var changed = 0
  package internal(set) var unchanged = 0
  /// Episodes that are not taken: erased from the store, or from before the time that was given.
  package internal(set) var erased = 0
  package internal(set) var tooOld = 0
  /// Steps of new episodes, and those by which others grew.
  package internal(set) var steps = 0
  /// Calls of which the logs have no result.
  package internal(set) var openCalls = 0
  /// Credentials that were replaced.
  package internal(set) var redacted = 0

  package var resultsWithoutCall: Int { counts.resultsWithoutCall }
  package var recordsWithoutPrompt: Int { counts.withoutPrompt }

  package init() {}

  mutating func note(other type: String) {
    if let count = otherRecords[type] {
      otherRecords[type] = count + 1
      return
    }
    let name = String(type.onOneLine.prefix(60))
    let isNamed = otherRecords[name] != nil || otherRecords.count < Self.maximumTypes
    otherRecords[isNamed ? name : "others", default: 0] += 1
  }

  package var json: JSON {
    [
      "files": JSON(files), "unchanged_files": JSON(unchangedFiles),
      "unknown_files": .array(unknownFiles.map { .string($0) }), "lines": JSON(lines), "bytes": .integer(bytes),
      "bad_lines": JSON(badLines),
      "other_records": .object(JSON.Object(otherRecords.map { ($0.key, JSON($0.value)) })),
      "results_without_call": JSON(resultsWithoutCall), "records_without_prompt": JSON(recordsWithoutPrompt),
      "added": JSON(added), "changed": JSON(changed), "unchanged": JSON(unchanged), "erased": JSON(erased),
      "too_old": JSON(tooOld), "steps": JSON(steps), "open_calls": JSON(openCalls), "redacted": JSON(redacted),
    ]
  }
}
