import ArgumentParser
import Episodic

struct LedgerPageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "page", abstract: "Keeps pages that were fetched, until they expire.",
    discussion: """
      A page is kept under a key, such as its URL. When all pages together need more room than there is for them, the least \
      recently used ones leave first.

      EXAMPLES:
        curl -s https://example.org | episodic ledger page put https://example.org
        episodic ledger page get https://example.org
      """,
    subcommands: [PageGet.self, PagePut.self, PageRemove.self])
}

struct PageGet: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Prints a page if it is there and fresh; exits with 1 if it is not.",
    discussion: """
      Counts the access, and a hit or a miss.

      EXAMPLES:
        episodic ledger page get https://example.org || curl -s https://example.org
        episodic ledger page get https://example.org --json
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The page's key.", valueName: "key"))
  var key: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let page = try await store.withLedger { ledger in try await ledger.page(key) }
    let found = try LedgerList.found(page, "fresh page", key)
    if output.json { return StandardOutput.write(try JSON(ledger: found)) }
    StandardOutput.write(found.data)
  }
}

struct PagePut: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "put", abstract: "Keeps a page in place of the one under its key.",
    discussion: """
      The ledger is created if there is none. The page is read as UTF-8, without a line end that closes it.

      EXAMPLES:
        curl -s https://example.org | episodic ledger page put https://example.org
        episodic ledger page put https://example.org/list.json list.json --type json --lifetime 1h
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The page's key.", valueName: "key"))
  var key: String

  @Argument(help: ArgumentHelp("The file to read; standard input by default.", valueName: "file"))
  var file = "-"

  @Option(help: ArgumentHelp("html, json or text.", valueName: "type"), transform: ClosedName.parse)
  var type: Ledger.PageType = .html

  @Option(
    help: ArgumentHelp("How long it is fresh: 30m, 12h; 24 hours by default.", valueName: "time"),
    transform: DurationText.parse)
  var lifetime: Duration?

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let data = try FileBytes.text(file)
    let page = try await store.withLedger(creating: true) { ledger in
      try await ledger.put(page: key, data, type: type, lifetime: lifetime)
    }
    try LedgerList.write(page, output, "\(page.key): \(page.size) bytes, fresh until \(page.expiresAt)")
  }
}

struct PageRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Removes a page; exits with 1 if there is none.",
    discussion: """
      EXAMPLES:
        episodic ledger page remove https://example.org
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The page's key.", valueName: "key"))
  var key: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let wasThere = try await store.withLedger { ledger in try await ledger.remove(page: key) }
    _ = try LedgerList.found(wasThere ? key : nil, "page", key)
    LedgerList.writeRemoved(key, output)
  }
}
