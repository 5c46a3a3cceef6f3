import ArgumentParser
import Episodic
import Foundation

struct Forget: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forget",
    abstract: "Erases episodes for good: from every file of the store.",
    discussion: """
      Erases the episodes that are named by one of --episode, --session, --domain, --between, --metadata, --source, --text or \
      --everything, with their steps, vectors, links and idempotency keys, and the patterns that were learned from them alone. \
      Then it removes what deleted rows leave in free pages, in the log, in full text, in cache and index. It asks first, \
      unless --yes is given; --dry-run counts only. With --domain and another choice, only what is in the domain is erased.

      --source names a kind of source, such as web, or the id of one: its episodes go, those with a step of it, and all that was \
      derived from them; with --since only what came at that time or after.

      --text - reads the text from standard input, so that a secret need not stand in the history of the shell.

      Copies of the store are not changed: those in its folder backups that still hold what was erased are named, and restoring \
      one erases it again, also what was deleted or changed before. Of a text only a digest is kept: an episode that had it, and \
      was changed before, has it again when an older copy is restored, so remove the copies that are named. Exports, copies \
      elsewhere and snapshots of the file system are out of reach.

      A policy of retention of a domain that is erased goes with it.

      Exits 1 if nothing matches in the store and in the copies, or if traces are left in a file, which is said on standard error; the next forget removes \
      them. What was deleted or changed before leaves the files also if nothing matches.

      EXAMPLES:
        episodic forget --episode 0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60 --everywhere
        printf %s "$TOKEN" | episodic forget --text - --everywhere --yes
        episodic forget --domain web --dry-run
        episodic forget --source https://example.com/faq --since 7d --everywhere
        episodic forget --metadata user=4711 --everywhere --yes
        episodic forget --between 2026-01-01 2026-02-01 --domain web --yes --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "The episodes of these ids; unique beginnings of ids, @last and @2 for the second newest too.", valueName: "id"))
  var episode: [String] = []

  @Option(help: ArgumentHelp("The episodes of a session.", valueName: "session"))
  var session: String?

  @Option(help: ArgumentHelp("All of a domain; with another choice, only what is in it.", valueName: "domain"))
  var domain: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("The episodes created from a time on and before another.", valueName: "time"))
  var between: [String] = []

  @Option(
    help: ArgumentHelp(
      "The episodes whose metadata have a value, as path=value; names in the path are separated by dots.",
      valueName: "path=value"))
  var metadata: String?

  @Option(
    help: ArgumentHelp(
      "What came from a source, its kind or its id, and what was derived from that.", valueName: "source"))
  var source: String?

  @Option(
    help: ArgumentHelp("With --source, only what came at this time or after.", valueName: "time"),
    transform: TimeText.parse)
  var since: Timestamp?

  @Option(help: ArgumentHelp("What has a text, literally; - reads it from standard input.", valueName: "text"))
  var text: String?

  @Flag(help: "Find the text also in other case.")
  var ignoreCase = false

  @Flag(help: "All that the store has, or the domain.")
  var everything = false

  @Flag(help: "In every domain; without --domain this is to be said.")
  var everywhere = false

  @Flag(help: "Keep patterns whose last episode is erased.")
  var keepPatterns = false

  @Flag(help: "Count what would be erased, and end.")
  var dryRun = false

  @Flag(help: "Erase without a question.")
  var yes = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    let choices = [
      !episode.isEmpty, session != nil, !between.isEmpty, metadata != nil, source != nil, text != nil, everything,
    ]
    let count = choices.count { $0 }
    guard count == 1 || count == 0 && domain != nil else {
      throw ValidationError(
        count == 0
          ? "nothing is named; give one of --episode, --session, --domain, --between, --metadata, --source, --text or --everything"
          : "several choices are named; give one, and --domain to restrict it")
    }
    guard (domain != nil) != everywhere else {
      throw ValidationError(
        everywhere
          ? "--domain and --everywhere exclude each other; leave one out" : "say where: --domain D or --everywhere")
    }
    if since != nil, source == nil { throw ValidationError("--since is for --source; leave it out") }
    if ignoreCase, text == nil { throw ValidationError("--ignore-case is for --text; leave it out") }
    guard between.isEmpty || between.count == 2 else {
      throw ValidationError("--between has \(counted(between.count, "time")); give two")
    }
    if everything, !yes, !dryRun { throw ValidationError("--everything erases all; give --yes as well") }
    for name in [session, domain, source, text].compactMap(\.self) where name.isEmpty {
      throw ValidationError("a name is empty; give the name of what to erase")
    }
  }

  func run() async throws {
    let given = try selection()
    let scope = domain.map(Query.Scope.domain) ?? .everything
    let patterns: Erasure.PatternPolicy = keepPatterns ? .keep : .eraseWithoutEvidence
    let receipt = try await store.withMemory { memory in
      let selection = try await resolved(given, memory)
      if dryRun { return try await memory.forget(selection, in: scope, patterns: patterns, dryRun: true) }
      if !yes { try await confirm(selection, named: selection != given, in: scope, patterns, memory) }
      defer { StandardError.endProgress() }
      return try await memory.forget(selection, in: scope, patterns: patterns) { progress in
        let share = progress.total.map { $0 > 0 ? " \(100 * min(progress.done, $0) / $0) %" : "" } ?? ""
        StandardError.progress(progress.stage.rawValue + share)
      }
    }
    print(receipt)
    if let pending = receipt.pending {
      let left = receipt.cleanedAt == nil ? "traces are left in the files of \(store.path): " : ""
      StandardError.write("episodic: erased, but \(left)\(pending.inCommandTerms)".onOneLine)
      throw ExitCode(1)
    }
  }

  private func confirm(
    _ selection: Erasure.Selection, named: Bool, in scope: Query.Scope, _ patterns: Erasure.PatternPolicy,
    _ memory: Memory
  ) async throws {
    let preview: ErasureReceipt
    do throws(MemoryError) {
      preview = try await memory.forget(selection, in: scope, patterns: patterns, dryRun: true)
    } catch {
      // Nothing that anyone can see is lost by what follows.
      if error.code == .notFound { return }
      throw error
    }
    let names = named ? " of \(Self.names(of: selection))" : ""
    try Confirmation.require("erase \(preview.counts.sentence)\(names) for good?", instead: "--yes", or: "")
  }

  /// With whole ids. One that the store does not have is taken as it is: a copy may have it.
  private func resolved(
    _ given: Erasure.Selection, _ memory: Memory
  ) async throws(MemoryError) -> Erasure.Selection {
    guard !episode.isEmpty else { return given }
    var ids: [Episode.ID] = []
    for text in episode {
      do throws(MemoryError) {
        ids.append(try await EpisodeReference.resolve(text, in: domain, memory))
      } catch {
        guard error.code == .notFound, try EpisodeReference.place(text) == nil else { throw error }
        ids.append(Episode.ID(text))
      }
    }
    return .episodes(ids)
  }

  private static func names(of selection: Erasure.Selection) -> String {
    guard case .episodes(let ids) = selection else { return "" }
    return ids.prefix(5).map(\.rawValue.onOneLine).joined(separator: ", ") + (ids.count > 5 ? ", …" : "")
  }

  private func selection() throws -> Erasure.Selection {
    if !episode.isEmpty { return .episodes(episode.map { Episode.ID($0) }) }
    if let session { return .session(session) }
    if let source { return .source(source, since: since) }
    if between.count == 2 {
      let (start, end) = (try TimeText.parse(between[0]), try TimeText.parse(between[1]))
      guard start < end else {
        throw MemoryError(.invalid, "--between: \(end) is not after \(start); give the earlier time first")
      }
      return .created(start..<end)
    }
    if let metadata {
      guard let sign = metadata.firstIndex(of: "="), sign > metadata.startIndex else {
        throw MemoryError(.invalid, "--metadata \"\(metadata)\" has no name and value; write path=value")
      }
      let path = metadata[..<sign].split(separator: ".").map(String.init)
      let value = String(metadata[metadata.index(after: sign)...])
      // What is no JSON is a text: branch=main.
      return .metadata(path: path, (try? JSON(text: value)) ?? .string(value))
    }
    if let text { return .text(text == "-" ? try StandardInput.text() : text, ignoringCase: ignoreCase) }
    if let domain, !everything { return .domain(domain) }
    return .everything
  }

  private func print(_ receipt: ErasureReceipt) {
    guard !output.json else { return StandardOutput.write(receipt.json(isDryRun: dryRun)) }
    let copies = receipt.counts.isEmpty ? "; copies of the store have it" : ""
    if dryRun { return StandardOutput.write("would erase \(receipt.counts.sentence)\(copies)") }
    StandardError.write("erased \(receipt.counts.sentence)\(copies)")
    let consequence =
      receipt.selection.kind == "text"
      ? "an episode whose text was changed before has it again after a restore: remove the copy if it must not"
      : "restoring it erases it again"
    for backup in receipt.backups {
      StandardError.write("still in backups/\(backup), or may be; \(consequence)".onOneLine)
    }
    StandardOutput.write(receipt.id.rawValue)
  }
}

extension ErasureReceipt.Counts {
  /// `2 episodes, 7 steps, 1 pattern`.
  var sentence: String {
    let parts = [
      (episodes, "episode"), (steps, "step"), (embeddings, "embedding"), (patterns, "pattern"), (links, "link"),
      (idempotencyKeys, "idempotency key"), (orphans, "row without an owner"),
    ].filter { $0.0 > 0 }.map {
      $0.1 == "row without an owner" && $0.0 > 1 ? "\($0.0) rows without an owner" : counted($0.0, $0.1)
    }
    if isEmpty { return "nothing of the store" }
    return parts.isEmpty ? counted(changes, "id") + " in the feed" : parts.joined(separator: ", ")
  }
}

extension ErasureReceipt {
  /// Encoding a receipt does not fail.
  func json(isDryRun: Bool = false) -> JSON {
    let text = (try? JSONEncoder().encode(self)).map { String(decoding: $0, as: UTF8.self) }
    var members = text.flatMap { try? JSON(text: $0) }?.members ?? JSON.Object()
    if isDryRun {
      members["dry_run"] = true
      members["erased_at"] = nil
      members["id"] = nil
    }
    return .object(members)
  }
}
