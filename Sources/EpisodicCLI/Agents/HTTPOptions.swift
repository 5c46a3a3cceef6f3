import ArgumentParser
import ContextServerHTTP
import Episodic
import FileLocks
import Foundation

/// Where `episodic mcp` listens instead of standard input, and what its clients must present.
struct HTTPOptions: ParsableArguments {
  static let tokenVariable = "EPISODIC_MCP_TOKEN"
  /// In the store's directory.
  private static let tokenFileName = "mcp-token"

  @Option(
    help: ArgumentHelp(
      "Serve by HTTP on unix:PATH, 127.0.0.1:PORT or [::1]:PORT; port 0 for any.", valueName: "address"))
  var http: String?

  @Option(help: ArgumentHelp("The file of the token that clients must send, of mode 0600.", valueName: "file"))
  var tokenFile: String?

  @Option(help: ArgumentHelp("The descriptor from which the token can be read.", valueName: "number"))
  var tokenDescriptor: Int32?

  func validate() throws {
    for (option, isGiven) in [("--token-file", tokenFile != nil), ("--token-descriptor", tokenDescriptor != nil)]
    where isGiven && http == nil {
      throw ValidationError("\(option) is for clients of --http; leave it out, or give both")
    }
    try SecretOptions.validate("token", file: tokenFile, descriptor: tokenDescriptor)
    do throws(MemoryError) {
      _ = try address
    } catch {
      throw ValidationError("--http: \(error.message)")
    }
    #if !HTTPServer
      if http != nil { throw ValidationError("--http: \(Self.notBuilt)") }
    #endif
  }

  /// What is said of a build without the server.
  static let notBuilt = "this build has no server of HTTP; build it with swift build --traits HTTPServer"

  var address: ListeningAddress? {
    get throws(MemoryError) {
      guard let http else { return nil }
      return try ListeningAddress(http)
    }
  }

  /// What clients must present, and the file in which it is kept if no option names one.
  ///
  /// On a Unix socket that is nothing, unless a token is given: only its user can connect.
  func token(
    for address: ListeningAddress, in store: String
  ) throws(MemoryError) -> (BearerToken, keptIn: String?)? {
    if let tokenFile { return (try .file(tokenFile), nil) }
    if let tokenDescriptor { return (try .descriptor(tokenDescriptor), nil) }
    if let value = getenv(Self.tokenVariable), value[0] != 0 {
      return (try BearerToken(String(cString: value).utf8), nil)
    }
    if case .unixSocket = address { return nil }
    do throws(FileError) {
      try PrivateDirectory<FileError>.createWithParents(store)
    } catch {
      throw MemoryError(
        .unavailable, "the token has no place: \(error.message); name one with --token-file", cause: error)
    }
    let path = store + "/" + Self.tokenFileName
    return (try .fileOrNew(path), path)
  }
}
