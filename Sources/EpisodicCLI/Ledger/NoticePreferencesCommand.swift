import ArgumentParser
import Episodic

struct NoticePreferencesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preferences", abstract: "Shows which notices a person gets, or sets it.",
    discussion: """
      Without an option they are shown. What is not named stays as it is; notices that wait stay as they are. Quiet hours are \
      of the person's zone, and may go over midnight.

      EXAMPLES:
        episodic ledger notice preferences ada
        episodic ledger notice preferences ada --channel email --channel slack --quiet 22:00-07:00
        episodic ledger notice preferences ada --no-channel
        episodic ledger notice preferences ada --kind task_completion --no-quiet
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The person's handle.", valueName: "handle"))
  var handle: String

  @Option(
    help: ArgumentHelp("A notice goes by email, sms, slack or webhook; may be repeated.", valueName: "channel"),
    transform: ClosedName.parse)
  var channel: [Ledger.Notice.Channel] = []

  @Flag(help: "Send nothing.")
  var noChannel = false

  @Option(help: ArgumentHelp("Only notices of this kind, such as system; may be repeated.", valueName: "kind"))
  var kind: [String] = []

  @Flag(help: "Notices of all kinds.")
  var allKinds = false

  @Option(
    help: ArgumentHelp("Hours in which only critical notices are sent.", valueName: "from-to"),
    transform: QuietHoursText.parse)
  var quiet: Ledger.QuietHours?

  @Flag(help: "No quiet hours.")
  var noQuiet = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    let pairs = [
      (!channel.isEmpty && noChannel, "--channel and --no-channel"),
      (!kind.isEmpty && allKinds, "--kind and --all-kinds"),
      (quiet != nil && noQuiet, "--quiet and --no-quiet"),
    ]
    for (areBoth, names) in pairs where areBoth { throw ValidationError("\(names) exclude each other; give one") }
  }

  func run() async throws {
    let preferences = try await store.withLedger { ledger in
      let person = try LedgerList.found(try await ledger.person(handle: handle), "person", handle)
      let old = try await ledger.preferences(of: person.id)
      let new = changed(old)
      if new != old { try await ledger.set(new, of: person.id) }
      return new
    }
    let channels = preferences.channels.map(\.rawValue).joined(separator: ", ")
    let kinds = preferences.kinds.map { $0.map(\.rawValue).joined(separator: ", ") } ?? "all kinds"
    let quiet = preferences.quietHours.map { ", quiet from \($0.start) to \($0.end)" } ?? ""
    try LedgerList.write(
      preferences, output, "\(handle): " + (channels.isEmpty ? "no notices" : "\(kinds) by \(channels)\(quiet)"))
  }

  private func changed(_ preferences: Ledger.NoticePreferences) -> Ledger.NoticePreferences {
    var preferences = preferences
    if noChannel || !channel.isEmpty { preferences.channels = channel }
    if allKinds { preferences.kinds = nil }
    if !kind.isEmpty { preferences.kinds = kind.map(Ledger.Notice.Kind.init(rawValue:)) }
    if noQuiet { preferences.quietHours = nil }
    if let quiet { preferences.quietHours = quiet }
    return preferences
  }
}

/// Quiet hours as people write them: `22:00-07:00`.
enum QuietHoursText {
  @Sendable static func parse(_ text: String) throws -> Ledger.QuietHours {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let start = Ledger.TimeOfDay(String(parts[0])), let end = Ledger.TimeOfDay(String(parts[1]))
    else { throw ValidationError("\"\(text)\" are no hours; write 22:00-07:00") }
    return Ledger.QuietHours(from: start, to: end)
  }
}
