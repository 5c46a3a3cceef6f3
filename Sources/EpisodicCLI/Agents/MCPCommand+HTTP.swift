import ContextServer
import ContextServerHTTP
import Episodic
import Foundation

extension MCPCommand {
  #if HTTPServer
    /// Serves by HTTP until a signal ends the process.
    ///
    /// - Returns: How long to wait for what still runs.
    func serve(_ server: MCPServer, at address: ListeningAddress) async throws(MemoryError) -> Duration {
      try StandardOutput.requireOpen()
      // A client that is gone ends its connection, not the process.
      signal(SIGPIPE, SIG_IGN)
      let token = try http.token(for: address, in: store.path)
      let (ended, end) = AsyncStream<Void>.makeStream()
      let signals = EndSignals(patience: 10) { end.finish() }
      defer { signals.stop() }
      let socket = try ListeningSocket(address)
      defer { socket.removeFile() }
      StandardOutput.write(socket.url(MCPEndpoint.path))
      if let path = token?.keptIn { StandardError.write("episodic: clients send the token that is in \(path)") }
      try await HTTPListener(MCPEndpoint(server, token: token?.0)).serve(socket, patience: .seconds(5)) {
        for await _ in ended {}
      }
      return .seconds(2)
    }
  #else
    /// The option is refused before.
    func serve(_ server: MCPServer, at address: ListeningAddress) async throws(MemoryError) -> Duration {
      throw MemoryError(.invalid, HTTPOptions.notBuilt)
    }
  #endif
}
