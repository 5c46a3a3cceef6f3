import AgentLogs
import ArgumentParser
import ContextServer
import ContextServerHTTP
import Episodic
import Foundation

struct MCPCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mcp",
    abstract: "Serves the memory to a model by the Model Context Protocol.",
    discussion: """
      Messages are lines of standard input and output, as a client that starts the server sends them, or with --http requests \
      of HTTP to /mcp. The revisions from 2024-11-05 to 2026-07-28 are understood. The tools are recall, show, record, feedback \
      and forget; --tools offers some of them, --read-only those that write nothing.

      A server sees one domain: --domain, or the name of the git repository around the current directory, or of that directory. \
      What a model records has the source agent and the name of the client; a step that names a web page as its source is \
      untrusted.

      The store is opened by the first call that needs it, and created by then if there is none.

      --http takes a Unix socket, which only you can reach, or an address of this machine, whose clients must send a token: that of \
      --token-file, --token-descriptor or EPISODIC_MCP_TOKEN, else one that is made and kept in the store's file mcp-token. The \
      first line of standard output is the address, with the port that was chosen for 0. The server is part of builds with the \
      package trait HTTPServer.

      EXAMPLES:
        episodic mcp --store ~/.episodic --domain web
        episodic mcp --read-only
        episodic mcp --tools recall,show,record
        episodic mcp --http unix:$XDG_RUNTIME_DIR/episodic.sock
        episodic mcp --http 127.0.0.1:0
        claude mcp add episodic -- episodic mcp --store ~/.episodic
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The only domain that is seen and changed.", valueName: "domain"))
  var domain: String?

  @Flag(help: "Offer only tools that write nothing, and open the store for reading.")
  var readOnly = false

  @Option(help: ArgumentHelp("Offer only these tools, separated by commas.", valueName: "names"))
  var tools: String?

  @OptionGroup var http: HTTPOptions

  func validate() throws {
    if let domain, domain.isEmpty { throw ValidationError("--domain is empty; name one, or leave it out") }
    do throws(MemoryError) {
      _ = try toolSet
    } catch {
      throw ValidationError("--tools: \(error.message)")
    }
  }

  private var toolSet: ToolSet {
    get throws(MemoryError) {
      let names = tools?.split(separator: ",", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      return try ToolSet(names: names, isReadOnly: readOnly)
    }
  }

  func run() async throws {
    guard !store.path.isEmpty else { throw ValidationError("the store's directory is empty; name one with --store") }
    var openOptions = Memory.OpenOptions()
    openOptions.create = !readOnly
    openOptions.access = readOnly ? .readOnly : .readWrite
    openOptions.busyTimeout = .seconds(store.busyTimeout)
    openOptions.audit = store.audit
    openOptions.key = store.key
    let (path, options) = (store.path, openOptions)
    let server = MCPServer(
      MCPServer.Options(
        domain: domain ?? ProjectDomain.name(at: FileManager.default.currentDirectoryPath), tools: try toolSet,
        version: Program.version, wording: { $0.inCommandTerms }),
      open: { () async throws(MemoryError) in try await Memory.open(at: path, options: options) })
    let patience: Duration
    if let address = try http.address {
      patience = try await serve(server, at: address)
    } else {
      patience = try await StandardStreams().run(server)
    }
    do throws(MemoryError) {
      try await server.close(waiting: patience)
    } catch {
      // What was answered is durable without it.
      StandardError.write("episodic: closing \(path): \(error.message)".onOneLine)
    }
  }
}
