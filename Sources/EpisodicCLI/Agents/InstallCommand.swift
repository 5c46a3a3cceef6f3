import ArgumentParser
import Episodic
import Foundation
import ProcessSpawning

struct InstallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Adds the memory to the settings of a coding agent.",
    discussion: """
      Shows what changes in each settings file and makes the change: the server of episodic mcp, and for Claude Code and Codex the \
      hook. The rest of a file keeps every byte, comments too; a file whose form is not known is left as it is, and so are all then. \
      Beside each file stand the file as it was (.before-episodic) and what was added (.episodic).

      --undo takes out what was added. --check starts the server as the agent would, and lists its tools.

      The store is --store or EPISODIC_STORE, else .episodic in the project, or in the home directory with --user.

      EXAMPLES:
        episodic install claude
        episodic install codex --user --dry-run
        episodic install claude --check
        episodic install claude --undo
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("claude, codex, cursor or vscode.", valueName: "agent"))
  var agent: AgentProgram

  @Flag(help: "Change the settings of the project in this directory; the default.")
  var project = false

  @Flag(help: "Change the settings of the user.")
  var user = false

  @Flag(help: "Show what would change.")
  var dryRun = false

  @Flag(help: "Take out what was added.")
  var undo = false

  @Flag(help: "Start the server as the agent would, and list its tools.")
  var check = false

  func validate() throws {
    guard !(project && user) else { throw ValidationError("--project and --user exclude each other; give one") }
    guard !(undo && check) else { throw ValidationError("--undo and --check exclude each other; give one") }
  }

  func run() async throws {
    let folder =
      try user
      ? PathText.expanded("~", of: "the home directory")
      : FileManager.default.currentDirectoryPath
    let files = AgentSettings.files(
      of: agent, isUser: user, in: folder.hasSuffix("/") ? String(folder.dropLast()) : folder)
    if check { return try Self.check(files, commands(in: folder)) }
    undo ? try takeOut(files) : try add(files, commands(in: folder))
  }

  private func commands(in folder: String) throws(MemoryError) -> AgentCommands {
    guard let program = Bundle.main.executablePath else {
      throw MemoryError(.unavailable, "the program's own path is not known; add the memory by hand, see CodingAgents")
    }
    let named = store.origin == "the default" ? folder + "/.episodic" : store.path
    return AgentCommands(program: program, store: URL(filePath: named).standardizedFileURL.path(percentEncoded: false))
  }

  /// All files are looked at before one is changed.
  private func add(_ files: [AgentSettings], _ commands: AgentCommands) throws(MemoryError) {
    var changes: [(file: SettingsFile, text: String, inserted: [String])] = []
    for settings in files {
      let file = SettingsFile(settings.path)
      let before = try file.read()
      guard try !file.isInstalled, let after = try settings.adding(commands, to: before) else {
        StandardOutput.write("\(settings.path): has it already".onOneLine)
        continue
      }
      try file.requireWritable()
      StandardOutput.write(LineDifference.text(settings.path, before, after.text))
      changes.append((file, after.text, after.inserted))
    }
    if dryRun { return }
    for change in changes { try change.file.install(change.text, inserted: change.inserted, commands) }
  }

  private func takeOut(_ files: [AgentSettings]) throws {
    var changes: [(file: SettingsFile, text: String?)] = []
    for settings in files {
      let file = SettingsFile(settings.path)
      guard try file.isInstalled else {
        StandardOutput.write("\(settings.path): nothing was added".onOneLine)
        continue
      }
      try file.requireWritable()
      let after = try file.undone(settings)
      StandardOutput.write(LineDifference.text(settings.path, try file.read(), after ?? ""))
      changes.append((file, after))
    }
    if dryRun { return }
    for change in changes { try change.file.undo(change.text) }
  }

  // MARK: Checking

  /// Starts the server that is installed, with the first requests of a client.
  private static func check(_ files: [AgentSettings], _ commands: AgentCommands) throws {
    for settings in files {
      guard try settings.adding(commands, to: try SettingsFile(settings.path).read()) == nil else {
        throw MemoryError(.notFound, "\(settings.path) does not have the memory; run install without --check")
      }
    }
    let server = try ServerProbe.tools(of: commands.server)
    StandardOutput.write("the server answers, with \(counted(server.count, "tool")): \(server.joined(separator: ", "))")
  }
}

/// Starts a server and asks it for its tools.
private enum ServerProbe {
  private static let patience: Int32 = 10_000
  private static let requests: [JSON] = [
    [
      "jsonrpc": "2.0", "id": 1, "method": "initialize",
      "params": [
        "protocolVersion": "2025-06-18", "capabilities": [:], "clientInfo": ["name": "episodic", "version": "1"],
      ],
    ],
    ["jsonrpc": "2.0", "method": "notifications/initialized"],
    ["jsonrpc": "2.0", "id": 2, "method": "tools/list"],
  ]

  static func tools(of command: [String]) throws(MemoryError) -> [String] {
    // A server that ends at once is found by its silence.
    signal(SIGPIPE, SIG_IGN)
    let (input, output) = (try Pipe(), try Pipe())
    var spawn = Spawn()
    spawn.duplicate(input.reading.number, as: STDIN_FILENO)
    spawn.duplicate(output.writing.number, as: STDOUT_FILENO)
    let child: pid_t
    do throws(Spawn.Failure) {
      child = try spawn.start(Array(command[0].utf8), command.map { Array($0.utf8) })
    } catch {
      throw MemoryError(.unavailable, "cannot start \(command[0]): \(error); install it again")
    }
    input.reading.close()
    output.writing.close()
    _ = writeBytes(Array(requests.map { $0.canonicalText + "\n" }.joined().utf8), to: input.writing.number)
    input.writing.close()
    let answer = read(output.reading.number)
    end(child)
    for line in answer.split(separator: "\n") {
      let message = try JSON(text: String(line))
      guard message["id"] == 2, case .array(let tools)? = message["result"]?["tools"] else { continue }
      return tools.compactMap { if case .string(let name)? = $0["name"] { name } else { nil } }
    }
    throw MemoryError(
      .unavailable, "\(command.joined(separator: " ")) did not answer within \(patience / 1000) s; run it by hand")
  }

  /// Asks a process to end, and kills it if it does not within 3 seconds.
  private static func end(_ child: pid_t) {
    kill(child, SIGTERM)
    var status: Int32 = 0
    for _ in 0..<300 {
      let ended = waitpid(child, &status, WNOHANG)
      if ended == child || ended < 0 && errno != EINTR { return }
      usleep(10_000)
    }
    kill(child, SIGKILL)
    while waitpid(child, &status, 0) == -1, errno == EINTR {}
  }

  /// Everything up to the end, or to the end of patience.
  private static func read(_ descriptor: Int32) -> String {
    let deadline = ContinuousClock.now + .milliseconds(patience)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let left = ContinuousClock.now.duration(to: deadline).milliseconds
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard left > 0, poll(&polled, 1, Int32(clamping: left)) > 0 else { break }
      let got = buffer.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
      guard got > 0 else { break }
      bytes += buffer[..<got]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
