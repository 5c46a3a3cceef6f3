import ArgumentParser
import Episodic

struct LedgerNotice: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notice", abstract: "Writes notices to people by templates.",
    discussion: """
      A notice goes into the outbox, and from there to a channel of the program that links the library. Quiet hours hold back \
      all but critical ones.

      EXAMPLES:
        episodic ledger notice template done --subject "{{task}} is done" --body "It took {{time}}." --variable task --variable time
        episodic ledger notice send ada done --values '{"task": "the report", "time": "5 min"}'
        episodic ledger notice list --to ada
      """,
    subcommands: [NoticeTemplateCommand.self, NoticePreferencesCommand.self, NoticeSend.self, NoticeList.self])
}

struct NoticeTemplateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "template", abstract: "Saves a template, or lists them.",
    discussion: """
      A variable that is not named is refused now, and one that is missing when a notice is written.

      EXAMPLES:
        episodic ledger notice template done --subject "{{task}} is done" --body "It took {{time}}." --variable task --variable time
        episodic ledger notice template
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The template's name; without it the templates are listed.", valueName: "name"))
  var name: String?

  @Option(help: ArgumentHelp("task_completion, system or another.", valueName: "type"))
  var type = "system"

  @Option(help: ArgumentHelp("The subject, with {{variables}}.", valueName: "text"))
  var subject: String?

  @Option(help: ArgumentHelp("The body, with {{variables}}.", valueName: "text"))
  var body: String?

  @Option(help: ArgumentHelp("A variable that it may have; may be repeated.", valueName: "name"))
  var variable: [String] = []

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard name == nil || (subject != nil && body != nil) else {
      throw ValidationError("a template needs --subject and --body")
    }
  }

  func run() async throws {
    guard let name, let subject, let body else {
      let templates = try await store.withLedger { ledger in try await ledger.templates(limit: 1000) }
      return try LedgerList.write(
        templates, as: "templates", output, empty: "no templates",
        [.init("NAME"), .init("TYPE"), .init("SUBJECT", isText: true), .init("VARIABLES", isText: true, rank: 1)]
      ) { template in
        [
          .init(template.name), .init(template.type.rawValue), .init(template.subject),
          .init(template.variables.joined(separator: ", ")),
        ]
      }
    }
    let template = Ledger.NoticeTemplate(
      name, type: Ledger.Notice.Kind(rawValue: type), subject: subject, body: body, variables: variable)
    try await store.withLedger(creating: true) { ledger in try await ledger.save(template) }
    try LedgerList.write(template, output, "\(name): saved")
  }
}

struct NoticeSend: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "send", abstract: "Writes a notice to a person, a message for each channel.",
    discussion: """
      EXAMPLES:
        episodic ledger notice send ada done --values '{"task": "the report", "time": "5 min"}'
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The person's handle.", valueName: "handle"))
  var handle: String

  @Argument(help: ArgumentHelp("The template's name.", valueName: "template"))
  var template: String

  @Option(help: ArgumentHelp("The variables, as a JSON object.", valueName: "json"), transform: MetadataText.parse)
  var values: JSON?

  @Option(help: ArgumentHelp("info, warning or critical.", valueName: "level"), transform: ClosedName.parse)
  var level: Ledger.Notice.Level = .info

  @OptionGroup var output: OutputOptions

  func run() async throws {
    let notices = try await store.withLedger { ledger -> [Ledger.Notice] in
      guard let person = try await ledger.person(handle: handle) else {
        throw MemoryError(.notFound, "no person \"\(handle)\"; add the person first")
      }
      return try await ledger.notify(person.id, template: template, values ?? [:], level: level)
    }
    if output.json {
      return StandardOutput.write(["notices": .array(try notices.map { try JSON(ledger: $0) })])
    }
    guard !notices.isEmpty else { return StandardError.write("\(handle.onOneLine) takes no such notices") }
    for notice in notices {
      StandardOutput.write("\(notice.id): \(notice.channel.rawValue), not before \(notice.notBefore)".onOneLine)
    }
  }
}

struct NoticeList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists notices, newest first.",
    discussion: """
      EXAMPLES:
        episodic ledger notice list --to ada --status failed
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Only to this person, by the handle.", valueName: "handle"))
  var to: String?

  @Option(help: ArgumentHelp("pending, sent or failed.", valueName: "status"), transform: ClosedName.parse)
  var status: Ledger.Notice.Status?

  @Option(help: ArgumentHelp("Notices to list, 1 to 1000.", valueName: "n"))
  var limit = 20

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let notices = try await store.withLedger { ledger -> [Ledger.Notice] in
      guard let to else { return try await ledger.notices(status: status, limit: limit) }
      guard let person = try await ledger.person(handle: to) else {
        throw MemoryError(.notFound, "no person \"\(to)\"; look for the handle with episodic ledger person list")
      }
      return try await ledger.notices(to: person.id, status: status, limit: limit)
    }
    try LedgerList.write(
      notices, as: "notices", output, empty: "no notices",
      [
        .init("WRITTEN"), .init("CHANNEL"), .init("LEVEL", rank: 1), .init("STATUS"), .init("SUBJECT", isText: true),
        .init("ERROR", isText: true, rank: 2),
      ]
    ) { notice in
      [
        .init(times.format.inTable(notice.createdAt)), .init(notice.channel.rawValue), .init(notice.level.rawValue),
        .init(notice.delivery?.rawValue ?? notice.status.rawValue), .init(notice.subject), .init(notice.error ?? ""),
      ]
    }
  }
}
