import ArgumentParser
import Episodic

struct LedgerPerson: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "person", abstract: "Keeps the people whom agents work for.",
    discussion: """
      EXAMPLES:
        episodic ledger person add ada --tier premium --email ada@example.org --zone Europe/Berlin
        episodic ledger person list --tier premium
      """,
    subcommands: [PersonAdd.self, PersonShow.self, PersonList.self, PersonRemove.self])
}

struct PersonAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Adds a person and prints the id.",
    discussion: """
      EXAMPLES:
        episodic ledger person add ada --tier premium --email ada@example.org --zone Europe/Berlin
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("A name that no other has.", valueName: "handle"))
  var handle: String

  @Option(help: ArgumentHelp("free, premium, enterprise or another.", valueName: "tier"))
  var tier = "free"

  @Option(help: ArgumentHelp("Where mail goes.", valueName: "address"))
  var email: String?

  @Option(help: ArgumentHelp("The time zone of quiet hours, such as Europe/Berlin.", valueName: "zone"))
  var zone = "UTC"

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let draft = Ledger.Person.Draft(handle, tier: Ledger.Person.Tier(rawValue: tier), email: email, zone: zone)
    let person = try await store.withLedger(creating: true) { ledger in try await ledger.add(draft) }
    try LedgerList.write(person, output, person.id.rawValue)
  }
}

struct PersonShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows a person as JSON, by the handle.",
    discussion: """
      EXAMPLES:
        episodic ledger person show ada
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The person's handle.", valueName: "handle"))
  var handle: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let person = try await store.withLedger { ledger in try await ledger.person(handle: handle) }
    StandardOutput.write(try JSON(ledger: LedgerList.found(person, "person", handle)))
  }
}

struct PersonList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists people.",
    discussion: """
      EXAMPLES:
        episodic ledger person list --tier premium
        episodic ledger person list --active-since 7d
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only of this tier.", valueName: "tier"))
  var tier: String?

  @Option(help: ArgumentHelp("Only those active since this time.", valueName: "time"), transform: TimeText.parse)
  var activeSince: Timestamp?

  @Option(help: ArgumentHelp("People to list, 1 to 1000.", valueName: "n"))
  var limit = 50

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if tier != nil, activeSince != nil { throw ValidationError("give one of --tier and --active-since") }
  }

  func run() async throws {
    let filter: Ledger.Person.Filter =
      if let tier { .tier(Ledger.Person.Tier(rawValue: tier)) } else if let activeSince {
        .activeSince(activeSince)
      } else { .all }
    let people = try await store.withLedger { ledger in try await ledger.people(filter, limit: limit) }
    try LedgerList.write(
      people, as: "people", output, empty: "no people",
      [
        .init("HANDLE"), .init("TIER"), .init("REQUESTS", isNumber: true), .init("ACTIVE", rank: 1),
        .init("ZONE", rank: 2), .init("ID", rank: 3),
      ]
    ) { person in
      [
        .init(person.handle), .init(person.tier.rawValue), .init("\(person.requests)"),
        .init(person.lastActive.map(times.format.inTable) ?? ""), .init(person.zone), .init(person.id.rawValue),
      ]
    }
  }
}

struct PersonRemove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Removes a person, with logins and notices.",
    discussion: """
      EXAMPLES:
        episodic ledger person remove ada
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The person's handle.", valueName: "handle"))
  var handle: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    try await store.withLedger { ledger in
      let person = try LedgerList.found(try await ledger.person(handle: handle), "person", handle)
      try await ledger.remove(person: person.id)
    }
    LedgerList.writeRemoved(handle, output)
  }
}
