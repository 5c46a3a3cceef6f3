import ArgumentParser
import Episodic
import Foundation

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Encrypts domains, and rotates or destroys their keys.",
    discussion: """
      What is written into an encrypted domain is encrypted in the files of the store: contexts, steps, metadata, vectors and \
      patterns. Each domain has a key of its own, which is encrypted with the key of the store. That is in a file that only its \
      owner can read (--key-file), can be read from a descriptor (--key-descriptor), or is in the environment (EPISODIC_KEY); it is \
      never an argument. Who loses it loses the encrypted domains, also of every backup.

      Needs a build with the package trait Encryption.

      EXAMPLES:
        episodic keys new --output store.key
        episodic keys encrypt web --key-file store.key
        episodic recall "why does the login fail" --domain web --key-file store.key
        episodic keys rotate web --key-file store.key
      """,
    subcommands: [
      KeysList.self, KeysNew.self, KeysEncrypt.self, KeysRotate.self, KeysRotateStore.self, KeysDestroy.self,
    ])

  /// Before the store is opened, so that nothing is asked for in vain.
  static func requireBuild() throws {
    #if !Encryption
      throw ValidationError(
        "this is a build without the package trait Encryption; build with --traits Encryption")
    #endif
  }
}

struct KeysList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the versions of the keys of encrypted domains.",
    discussion: """
      Needs no key. A version is current, old while a rotation is not finished, replaced, or destroyed.

      EXAMPLES:
        episodic keys list
        episodic keys list --json | jq -r '.keys[] | select(.state == "current") | .domain'
      """)

  @OptionGroup var store: StoreOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var time: TimeOptions

  func run() async throws {
    let keys = try await store.withMemory { memory in try await memory.domainKeys() }
    if output.json { return StandardOutput.write(["keys": .array(keys.map(\.json))]) }
    for key in keys {
      let state = key.state.rawValue + (key.isConverting ? ", not all is encrypted" : "")
      StandardOutput.write(
        "\(key.domain.onOneLine)  version \(key.version)  \(state)  \(time.format.exact(key.createdAt))")
    }
  }
}

struct KeysNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Makes a random key for a store.",
    discussion: """
      Writes 64 hexadecimal digits into a new file that only its owner can read, or prints them.

      EXAMPLES:
        episodic keys new --output store.key
        EPISODIC_KEY=$(episodic keys new) && export EPISODIC_KEY
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("File to make; - is standard output.", valueName: "file"))
  var output = "-"

  func run() throws {
    let text = StoreKey.random().hexadecimal + "\n"
    guard output != "-" else { return StandardOutput.write(String(text.dropLast())) }
    // Not over a file: it may be the key of a store.
    let descriptor = open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw MemoryError(
        .invalid, "the file \(output) cannot be made: \(String(cString: strerror(errno))); name one that is not there")
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      try handle.write(contentsOf: Data(text.utf8))
      try handle.synchronize()
    } catch {
      throw MemoryError(.unavailable, "the key cannot be written to \(output): \(error)", cause: error)
    }
  }
}

struct KeysEncrypt: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encrypt", abstract: "Encrypts a domain: what it has, and what is written from now on.",
    discussion: """
      Goes on if it was cut short. Backups and exports that were made before are not changed, and have the domain as it was.

      Exits 1 if traces of before may be left in a file, which is said on standard error; the next forget removes them.

      EXAMPLES:
        episodic keys encrypt web --key-file store.key
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The domain.", valueName: "domain"))
  var domain: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    try KeysCommand.requireBuild()
    let report = try await store.withMemory(creating: true) { memory in
      defer { StandardError.endProgress() }
      return try await memory.encrypt(domain: domain) { StandardError.progress("\($0) rows") }
    }
    try report.print(json: output.json)
  }
}

struct KeysRotate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Encrypts a domain with another key.",
    discussion: """
      Rows are encrypted again a few at a time, while others write. Goes on if it was cut short. At the end the earlier key is deleted.

      EXAMPLES:
        episodic keys rotate web --key-file store.key
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The domain.", valueName: "domain"))
  var domain: String

  @OptionGroup var output: OutputOptions

  func run() async throws {
    try KeysCommand.requireBuild()
    let report = try await store.withMemory { memory in
      defer { StandardError.endProgress() }
      return try await memory.rotateKey(of: domain) { StandardError.progress("\($0) rows") }
    }
    try report.print(json: output.json)
  }
}

struct KeysRotateStore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-store", abstract: "Encrypts the keys of all domains with another key of the store.",
    discussion: """
      No row is written. The key of the store is the new one from then on: processes that have it open need it.

      EXAMPLES:
        episodic keys new --output new.key
        episodic keys rotate-store --key-file store.key --new-key-file new.key
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("The file of the new key, of mode 0600.", valueName: "file"))
  var newKeyFile: String

  func run() async throws {
    try KeysCommand.requireBuild()
    let key = try KeyProvider.file(newKeyFile).key()
    try await store.withMemory(printing: false, for: .shortWrite) { memory in try await memory.rotateStoreKey(to: key) }
  }
}

struct KeysDestroy: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "destroy", abstract: "Destroys the key of a domain: nobody can read the domain any more.",
    discussion: """
      Needs no key. It asks first, unless --yes is given. The rows stay until forget --domain removes them. A backup has the key \
      as it was: who has that backup and the key of the store reads it.

      EXAMPLES:
        episodic keys destroy web --yes
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("The domain.", valueName: "domain"))
  var domain: String

  @Flag(help: "Destroy without a question.")
  var yes = false

  func run() async throws {
    if !yes {
      try Confirmation.require(
        "destroy the key of \(domain.onOneLine), so that nobody can read it any more?", instead: "--yes", or: "")
    }
    let pending = try await store.withMemory(printing: false) { memory in try await memory.destroyKey(of: domain) }
    guard let pending else { return }
    StandardError.write(
      "episodic: destroyed, but traces of the key are left in the files: \(pending.inCommandTerms)".onOneLine)
    throw ExitCode(1)
  }
}

extension SealingReport {
  fileprivate func print(json: Bool) throws {
    if json {
      var members: JSON.Object = [
        "domain": .string(key.domain), "version": .integer(Int64(key.version)), "rows": .integer(Int64(rows)),
      ]
      if let pending { members["pending"] = .string(pending) }
      StandardOutput.write(.object(members))
    } else {
      StandardOutput.write(
        "\(counted(rows, "row")) encrypted with version \(key.version) of the key of \(key.domain.onOneLine)")
    }
    guard let pending else { return }
    StandardError.write("episodic: encrypted, but traces are left in the files: \(pending.inCommandTerms)".onOneLine)
    throw ExitCode(1)
  }
}

extension DomainKey {
  fileprivate var json: JSON {
    var members: JSON.Object = [
      "domain": .string(domain), "version": .integer(Int64(version)), "state": .string(state.rawValue),
      "converting": .bool(isConverting), "created_at": .string(createdAt.description),
    ]
    if let endedAt { members["ended_at"] = .string(endedAt.description) }
    return .object(members)
  }
}
