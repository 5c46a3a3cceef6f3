package import EpisodicMemory

/// A query as one JSON object on a line.
///
/// Unknown members are rejected, as everywhere: a filter that is not applied would return what it excludes (I8). Notes of
/// an evaluation are ignored: `metadata` with whatever is in it, and `category` and `exclude_ids` of published query sets.
package struct QueryLine {
  private static let objectWanted = "one query as one JSON object"
  private static let statusWanted =
    "one or an array of \(Episode.Status.allCases.map(\.rawValue).joined(separator: ", "))"

  let id: String
  /// `nil`: by vector alone.
  let text: String?
  /// `.everything` if the filters name no domain.
  let scope: Query.Scope
  let filter: Episode.Filter
  /// When the question is asked; `nil` if the line does not say.
  let askedAt: Timestamp?

  /// - Throws: `.invalid`, naming field, value and remedy.
  package init(_ line: [UInt8]) throws(MemoryError) {
    var id: String?, text: String?
    var scope = Query.Scope.everything
    var filter = Episode.Filter()
    var askedAt: Timestamp?
    var scanner = try JSONScanner(line)
    try scanner.object(Self.objectWanted) { scanner, name throws(MemoryError) in
      switch name {
      case "id": id = try scanner.text("a string")
      case "text": text = try scanner.null() ? nil : try scanner.text("a string")
      case "filters":
        if try scanner.null() { break }
        try scanner.object("an object") { scanner, name throws(MemoryError) in
          // `"domain": null` must not mean every domain (I8): `text` below rejects it.
          if name != "domain", try scanner.null() { return }
          switch name {
          case "domain": scope = .domain(try scanner.text("a string"))
          case "session": filter.session = try scanner.text("a string").canonicallyComposed
          case "task_type": filter.taskType = TaskType(try scanner.text("a string"))
          case "status": filter.statuses = try Self.statuses(&scanner)
          case "after": filter.after = try scanner.time()
          case "before": filter.before = try scanner.time()
          case "step": filter.step = try Self.step(&scanner)
          default:
            throw scanner.fault("is no filter; use domain, session, task_type, status, after, before, step")
          }
        }
      case "domain", "session", "task_type", "status", "after", "before", "step":
        throw scanner.fault("is a filter; put it under filters")
      case "at": askedAt = try scanner.null() ? nil : try scanner.time()
      // Notes of an evaluation.
      case "metadata", "category", "exclude_ids": _ = try scanner.value()
      default: throw scanner.fault("is no member of a query; put it under metadata, which is ignored")
      }
    }
    try scanner.end()
    guard let id else { throw scanner.missing("id", "a string") }
    self.id = id
    self.text = text
    self.scope = scope
    self.filter = filter
    self.askedAt = askedAt
  }

  private static func step(_ scanner: inout JSONScanner) throws(MemoryError) -> Step.Filter {
    var filter = Step.Filter()
    try scanner.object("an object") { scanner, name throws(MemoryError) in
      if try scanner.null() { return }
      switch name {
      case "tool": filter.tool = try scanner.text("a string")
      case "success": filter.success = try scanner.bool("true or false")
      case "text": filter.text = try scanner.text("a string")
      case "phrase": filter.phrase = try scanner.text("a string")
      default: throw scanner.fault("is no filter of a step; use tool, success, text, phrase")
      }
    }
    return filter
  }

  private static func statuses(_ scanner: inout JSONScanner) throws(MemoryError) -> Set<Episode.Status> {
    func status(_ scanner: inout JSONScanner) throws(MemoryError) -> Episode.Status {
      let text = try scanner.text(statusWanted)
      guard let status = Episode.Status(rawValue: text) else {
        throw scanner.fault("is \"\(text.shortened(to: 60))\"; write \(statusWanted)")
      }
      return status
    }
    guard scanner.isArray else { return [try status(&scanner)] }
    var statuses: Set<Episode.Status> = []
    try scanner.array(statusWanted) { scanner, _ throws(MemoryError) in statuses.insert(try status(&scanner)) }
    guard !statuses.isEmpty else { throw scanner.fault("is []; name a status or leave the filter out") }
    return statuses
  }
}

/// The hits of one query of a file as one JSON object on a line.
struct ResultLine {
  let queryID: String
  let hits: [Hit]
  let duration: Duration

  /// The line without its newline, members in the order of the contract.
  var text: String {
    let results = hits.map { hit in
      "{\"id\":\(JSON.string(hit.episode.id.rawValue).outputText),\"score\":\(JSON(hit.score).outputText)}"
    }
    return """
      {"query_id":\(JSON.string(queryID).outputText),"results":[\(results.joined(separator: ","))],\
      "ms":\(JSON(duration.fractionalMilliseconds).outputText)}
      """
  }
}

extension Duration {
  /// Milliseconds, rounded to the microsecond.
  package var fractionalMilliseconds: Double {
    ((self / .milliseconds(1)) * 1000).rounded() / 1000
  }
}
