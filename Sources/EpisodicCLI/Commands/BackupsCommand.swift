import ArgumentParser
import Episodic

struct BackupsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backups",
    abstract: "Lists the backups of the store, newest first.",
    discussion: """
      Also what a restore replaced (replaced) and what a newer version left before it migrated the store (before_migration). The \
      store is not opened: it may be damaged or gone.

      EXAMPLES:
        episodic backups
        episodic backups --json | jq -r '.backups[0].path'
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Another directory with backups than backups/ in the store.", valueName: "dir"))
  var directory: String?

  @OptionGroup var times: TimeOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let directory { try NonUTF8Arguments.refuse(directory, as: "--directory") }
  }

  func run() async throws {
    let backups =
      if let directory {
        try await Memory.backups(inDirectory: directory)
      } else {
        try await Memory.backups(ofStoreAt: store.path)
      }
    if output.json { return StandardOutput.write(["backups": .array(backups.map(\.json))]) }
    guard !backups.isEmpty else { return StandardError.write("no backups") }
    var table = Table([
      .init("CREATED"), .init("KIND", rank: 1), .init("SCHEMA", isNumber: true, rank: 3),
      .init("EPISODES", isNumber: true, rank: 2), .init("BYTES", isNumber: true), .init("PATH", isText: true),
    ])
    for backup in backups {
      table.add([
        .init(times.format.inTable(backup.createdAt)), .init(backup.kind.rawValue),
        .init(backup.manifest.map { "\($0.schemaVersion)" } ?? "-"),
        .init(backup.manifest?.rows["episodes"].map { "\($0)" } ?? "-"), .init("\(backup.fileBytes)"),
        .init(backup.path),
      ])
    }
    StandardOutput.write(table.text(width: StandardOutput.width))
  }
}
