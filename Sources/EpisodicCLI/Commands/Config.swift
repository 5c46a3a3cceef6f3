import ArgumentParser
import Episodic
import Foundation

struct Config: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Shows what is in force: the store, versions, options and environment variables.",
    discussion: """
      Nothing is kept in a file of settings: each value comes from an option, from the environment variable that is named, \
      or is the default. The store need not exist, and is not opened.

      EXAMPLES:
        episodic config
        episodic config --json | jq -r .store.path
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions

  /// The environment variables that the command reads.
  static let variables = [
    "EPISODIC_STORE", "EPISODIC_ACTOR", "EPISODIC_KEY", HTTPOptions.tokenVariable, "NO_COLOR", "CLICOLOR_FORCE",
    "COLUMNS", "TERM", "TZ",
  ]
  /// Those that are shown nowhere.
  private static let secrets: Set = ["EPISODIC_KEY", HTTPOptions.tokenVariable]

  func run() async throws {
    try StandardOutput.requireOpen()
    let options = Memory.OpenOptions()
    let limits = options.limits
    let path = URL(filePath: store.path).standardizedFileURL.path(percentEncoded: false)
    let values: [(String, JSON)] = Self.variables.map { name in
      (
        name,
        getenv(name).map { .string(Self.secrets.contains(name) ? "set, not shown" : String(cString: $0)) } ?? .null
      )
    }
    if output.json {
      StandardOutput.write([
        "version": .string(Program.version),
        "store": ["path": .string(path), "from": .string(store.origin), "exists": .bool(store.exists)],
        "options": [
          "busy_timeout_seconds": JSON(store.busyTimeout), "durability": .string(options.durability.rawValue),
          "cache_bytes": .integer(Int64(options.cache.capacity)), "field_bytes": .integer(Int64(limits.fieldBytes)),
          "dimensions": .integer(Int64(limits.dimensions)), "results": .integer(Int64(limits.results)),
        ],
        "environment": .object(JSON.Object(values)), "colour": .bool(TextStyle.isEnabled),
      ])
      return
    }
    var lines = [
      ("version", Program.version),
      ("store", "\(path) (\(store.origin)\(store.exists ? "" : ", does not exist"))"),
      ("waiting", "at most \(store.busyTimeout) s for a lock (--busy-timeout)"),
      ("durability", "\(options.durability.rawValue): an acknowledged write survives a loss of power"),
      ("cache", "at most \(options.cache.capacity >> 20) MiB"),
      ("limits", "\(limits.fieldBytes) bytes a field, \(limits.dimensions) dimensions, \(limits.results) results"),
      ("colour", TextStyle.isEnabled ? "yes" : "no"),
    ]
    for (name, value) in values {
      if case .string(let text) = value { lines.append((name, text)) } else { lines.append((name, "not set")) }
    }
    StandardOutput.write(lines.map { "\($0.padded(to: 15)) \($1.onOneLine)" }.joined(separator: "\n"))
  }
}
