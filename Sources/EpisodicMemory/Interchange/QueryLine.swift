/// A query as one JSON object on a line.
///
/// Unknown members of the line are passed over: files of queries carry notes for their evaluation. Unknown filters are
/// refused: a filter that is not applied would show what it was to keep out (I8).
struct QueryLine {
  private static let objectWanted = "one query as one JSON object"
  private static let statusWanted =
    "one or an array of \(Episode.Status.allCases.map(\.rawValue).joined(separator: ", "))"

  let id: String
  /// `nil`: by vector alone.
  let text: String?
  /// Everything where the filters name no domain.
  let scope: Scope
  let filter: Episode.Filter

  /// - Throws: `.invalid`, naming field, value and remedy.
  init(_ line: [UInt8]) throws(MemoryError) {
    var id: String?, text: String?
    var scope = Scope.everything
    var filter = Episode.Filter()
    var scanner = try JSONScanner(line)
    try scanner.object(Self.objectWanted) { scanner, name throws(MemoryError) in
      switch name {
      case "id": id = try scanner.text("a string")
      case "text": text = try scanner.null() ? nil : try scanner.text("a string")
      case "filters":
        if try scanner.null() { break }
        try scanner.object("an object") { scanner, name throws(MemoryError) in
          // A domain that is not set must not open every domain (I8); the text that follows refuses it.
          if name != "domain", try scanner.null() { return }
          switch name {
          case "domain": scope = .domain(try scanner.text("a string"))
          case "session": filter.session = try scanner.text("a string").canonicallyComposed
          case "task_type": filter.taskType = TaskType(try scanner.text("a string"))
          case "status": filter.statuses = try Self.statuses(&scanner)
          case "after": filter.after = try scanner.time()
          case "before": filter.before = try scanner.time()
          default:
            throw scanner.fault("is no filter; use domain, session, task_type, status, after, before")
          }
        }
      case "domain", "session", "task_type", "status", "after", "before":
        throw scanner.fault("is a filter; put it under filters")
      default: _ = try scanner.value()
      }
    }
    try scanner.end()
    guard let id else { throw scanner.missing("id", "a string") }
    self.id = id
    self.text = text
    self.scope = scope
    self.filter = filter
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
