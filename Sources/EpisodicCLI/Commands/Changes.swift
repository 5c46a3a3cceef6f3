import ArgumentParser
import Episodic
import Foundation

struct Changes: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "changes",
    abstract: "Prints what changed, in the order of the commits, one line a change.",
    discussion: """
      Prints the changes that there are and ends; with --follow it goes on with those to come, of any process, until it is \
      stopped. Each line of --json has a cursor: the place after the change. Given to --after, it goes on from there without \
      missing or repeating one; beginning is before the first. The feed keeps at least the last 200,000 changes: a line gap says that \
      it does not reach back to the cursor.

      --cursor prints the place after the last change and nothing else.

      EXAMPLES:
        episodic changes --limit 20
        episodic changes --follow --domain web --json
        cursor=$(episodic changes --cursor); sleep 60; episodic changes --after "$cursor" --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only this domain; every domain by default.", valueName: "domain"))
  var domain: String?

  @Option(
    help: ArgumentHelp(
      "Continue after this cursor; with --follow the last change by default, otherwise beginning.", valueName: "cursor")
  )
  var after: String?

  @Flag(help: "Go on with the changes to come.")
  var follow = false

  @Option(help: ArgumentHelp("End after this many changes.", valueName: "n"))
  var limit: Int?

  @Flag(help: "Print the cursor after the last change, and end.")
  var cursor = false

  @Flag(help: "Print each change as one JSON object on a line.")
  var json = false

  func validate() throws {
    if let after, MemoryChange.Cursor(rawValue: after) == nil {
      throw ValidationError("\"\(after)\" is not a cursor; give that of a line of --json, or beginning")
    }
    if let limit, limit < 1 { throw ValidationError("--limit is \(limit); give 1 or more") }
    guard !cursor || after == nil && !follow && limit == nil && domain == nil && !json else {
      throw ValidationError("--cursor stands alone; leave the other options out")
    }
  }

  /// Rows of the feed that one read examines.
  private static let batch = 512

  func run() async throws {
    let scope = domain.map(Query.Scope.domain) ?? .everything
    try await store.withMemory { memory in
      let end = try await memory.changeCursor()
      guard !cursor else { return StandardOutput.write(end.rawValue) }
      let start = after.flatMap { MemoryChange.Cursor(rawValue: $0) } ?? (follow ? end : .beginning)
      var left = limit ?? .max
      if follow {
        for try await element in memory.changes(after: start, in: scope) where !print(element, &left) { return }
        return
      }
      var position = start
      while true {
        let (batch, next) = try await memory.committedChanges(after: position, in: scope, limit: Self.batch)
        let elements = (batch.gap.map { [MemoryChanges.Element.gap($0)] } ?? []) + batch.changes.map { .change($0) }
        for element in elements where !print(element, &left) { return }
        if batch.isComplete { return }
        position = next
      }
    }
  }

  /// - Parameter left: Changes that may still be printed.
  /// - Returns: Whether more may be printed.
  private func print(_ element: MemoryChanges.Element, _ left: inout Int) -> Bool {
    switch element {
    case .gap(let gap):
      if json {
        StandardOutput.write(["gap": .string(gap.rawValue)])
      } else {
        StandardOutput.write(
          "gap      " + (gap == .pruned ? "the feed does not reach back so far" : "the cursor is of another history"))
      }
      return true
    case .change(let change):
      json ? StandardOutput.write(change.json) : StandardOutput.write(change.line)
      left -= 1
      return left > 0
    }
  }
}

extension MemoryChange {
  /// What was changed, in words of its own.
  private var parts: (subject: String, id: String, step: Int?) {
    switch subject {
    case .episode(let id): ("episode", id.rawValue, nil)
    case .step(let id, let number): ("step", id.rawValue, number)
    case .pattern(let type, let hash): ("pattern", "\(type.rawValue):\(hash)", nil)
    case .embedding(let id): ("embedding", id.rawValue, nil)
    case .erased(let subject, let digest): (subject.rawValue, "erased:\(digest)", nil)
    }
  }

  fileprivate var json: JSON {
    let (subject, id, step) = parts
    return [
      "subject": .string(subject), "id": .string(id), "step_number": step.map { .integer(Int64($0)) } ?? .null,
      "kind": kind.map { .string($0.rawValue) } ?? .null, "domain": domain.map(JSON.string) ?? .null,
      "cursor": .string(cursor.rawValue),
    ]
  }

  fileprivate var line: String {
    let (subject, id, step) = parts
    let kind = (kind?.rawValue ?? "change").padded(to: 7)
    let name = id.onOneLine + (step.map { " \($0)" } ?? "")
    return "\(kind)  \(subject.padded(to: 9))  \(name)\(domain.map { "  \($0.onOneLine)" } ?? "")"
  }
}
