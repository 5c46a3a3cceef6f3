import ArgumentParser
import Episodic
import Foundation

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Shows and verifies who wrote what to the store, and when.",
    discussion: """
      A command with --actor, or with the environment variable EPISODIC_ACTOR, leaves a record of each write in the store: who, \
      what, when, how many, and of what by keyed digests. The records are a chain that shows when one is changed, removed, \
      exchanged or inserted. A head that is kept elsewhere also shows when the end is cut off or all of it is written again.

      EXAMPLES:
        episodic begin --task debugging --domain web --context "login fails" --actor ci
        episodic audit list
        episodic audit head --output head.json
        episodic audit verify --rows --head head.json
      """,
    subcommands: [AuditList.self, AuditVerify.self, AuditExport.self, AuditHeadCommand.self, AuditRequire.self])
}

struct AuditList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists records, the first first.",
    discussion: """
      EXAMPLES:
        episodic audit list --limit 20
        episodic audit list --domain web --after 100 --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("Records after this number.", valueName: "number"))
  var after: Int64 = 0

  @Option(help: ArgumentHelp("How many records at most.", valueName: "count"))
  var limit = 50

  @Option(help: ArgumentHelp("Records of one domain alone.", valueName: "domain"))
  var domain: String?

  @Flag(help: "Print each record as one JSON object on a line.")
  var json = false

  @OptionGroup var time: TimeOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else {
      throw ValidationError("--limit is \(limit); give a number from 1 to 100000")
    }
    guard after >= 0 else { throw ValidationError("--after is \(after); give a number from 0 on") }
  }

  func run() async throws {
    let scope = domain.map(Query.Scope.domain) ?? .everything
    let records = try await store.withMemory { memory in
      try await memory.audit(after: after, in: scope, limit: limit)
    }
    for record in records { StandardOutput.write(json ? record.json.outputText : record.line(time.format)) }
  }
}

struct AuditVerify: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Verifies the records, of the store or of an export.",
    discussion: """
      Exits 1 if a record was changed, removed, exchanged or inserted, or if the chain does not agree with a head. With --rows the \
      episodes, steps and patterns of the store are compared with the digests that records have of them: a row that was changed \
      behind the engine's back, or by a process that does not audit, is named. --file verifies an export without the store.

      EXAMPLES:
        episodic audit verify --rows
        episodic audit verify --head monday.json tuesday.json --key audit.pub.pem
        episodic audit verify --file audit.jsonl --head head.json --json
      """)

  @OptionGroup var store: StoreOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Heads that were kept, which the chain has to agree with.", valueName: "file"))
  var head: [String] = []

  @Option(help: ArgumentHelp("The public key that has to have signed each head; a file.", valueName: "file"))
  var key: String?

  @Option(help: ArgumentHelp("Verify an export instead of the store.", valueName: "file"))
  var file: String?

  @Flag(help: "Compare the rows of the store, too.")
  var rows = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if rows, file != nil { throw ValidationError("--rows is for the store; leave it out with --file") }
    if key != nil, head.isEmpty { throw ValidationError("--key is for heads; give one with --head") }
    for path in head + [key, file].compactMap(\.self) { try NonUTF8Arguments.refuse(path, as: "a file") }
    #if !Encryption
      if key != nil { throw ValidationError(AuditHeadCommand.needsTrait("--key")) }
    #endif
  }

  func run() async throws {
    let heads = try head.map { path in
      do throws(MemoryError) {
        return try AuditHead(json: JSON(text: FileBytes.text(path)))
      } catch {
        throw MemoryError(error.code, "\(path): \(error.message)", cause: error)
      }
    }
    let verification: AuditVerification
    if let file {
      try StandardOutput.requireOpen()
      verification = try Self.verify(file, against: heads)
    } else {
      verification = try await store.withMemory { memory in try await memory.verifyAudit(against: heads, rows: rows) }
    }
    let unsigned = try unsignedHeads(heads)
    let isPassed = verification.isPassed && unsigned.isEmpty
    if output.json {
      var members = verification.json.members ?? JSON.Object()
      members["passed"] = .bool(isPassed)
      members["unsigned_heads"] = .array(unsigned.map(JSON.string))
      StandardOutput.write(.object(members))
    } else {
      for path in unsigned { StandardOutput.write("FAILED  head-unsigned  \(path.onOneLine) is not signed by the key") }
      StandardOutput.write(verification.lines)
    }
    if !isPassed { throw ExitCode(1) }
  }

  /// The files whose heads the key has not signed.
  private func unsignedHeads(_ heads: [AuditHead]) throws -> [String] {
    guard let key else { return [] }
    #if Encryption
      let text = try FileBytes.text(key)
      return try zip(head, heads).filter { try !$0.1.isSigned(by: text) }.map(\.0)
    #else
      throw ValidationError(AuditHeadCommand.needsTrait("--key \(key)"))
    #endif
  }

  /// Lines that are none are told with their number; nothing of them is believed.
  private static func verify(_ path: String, against heads: [AuditHead]) throws -> AuditVerification {
    var chain = AuditChain(against: heads)
    let text = try FileBytes.text(path)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: true).enumerated() {
      do throws(MemoryError) {
        chain.add(try AuditRecord(json: JSON(text: String(line))))
      } catch {
        throw MemoryError(.invalid, "\(path), line \(index + 1): \(error.message)", cause: error)
      }
    }
    return chain.verification()
  }
}

struct AuditExport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Exports every record, one JSON object a line.",
    discussion: """
      audit verify --file checks the result without the store. It has no content and no id, but keyed digests, the names of \
      actors, times and counts. A file gets its name only when it is complete.

      EXAMPLES:
        episodic audit export --output audit.jsonl
        episodic audit export | jq -r .verb | sort | uniq -c
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("File to write; - is standard output.", valueName: "file"))
  var output = "-"

  func validate() throws { try NonUTF8Arguments.refuse(output, as: "--output") }

  func run() async throws {
    try await store.withMemory(printing: output == "-") { memory in
      _ = try await memory.exportAudit(to: OutputFile(argument: output))
    }
  }

  /// - Throws: `.unavailable` if the file cannot be written; it is not there then.
  static func write(_ text: String, to path: String) throws(MemoryError) {
    do {
      try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    } catch {
      throw MemoryError(
        .unavailable, "cannot write \(path): \(error.localizedDescription); name another file", cause: error)
    }
  }
}

struct AuditHeadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "head", abstract: "Prints the last record's number and digest, to be kept elsewhere.",
    discussion: """
      Keep it where those who can write the store cannot: audit verify --head then shows when records up to it are missing or \
      others. --sign takes a private key of Ed25519, as openssl genpkey -algorithm ed25519 makes one, from a file that only its \
      owner can read, and needs a build with the trait Encryption.

      EXAMPLES:
        episodic audit head
        episodic audit head --output head.json --sign audit.pem
      """)

  @OptionGroup var store: StoreOptions

  @Option(help: ArgumentHelp("File to write; - is standard output.", valueName: "file"))
  var output = "-"

  @Option(help: ArgumentHelp("The private key to sign with; a file of mode 0600.", valueName: "file"))
  var sign: String?

  static func needsTrait(_ option: String) -> String {
    "\(option) needs a build with the package trait Encryption, and this is one without; build with --traits Encryption"
  }

  func validate() throws {
    for path in [output, sign].compactMap(\.self) { try NonUTF8Arguments.refuse(path, as: "a file") }
    #if !Encryption
      if sign != nil { throw ValidationError(Self.needsTrait("--sign")) }
    #endif
  }

  func run() async throws {
    var head = try await store.withMemory(printing: output == "-") { memory in try await memory.auditHead() }
    if let sign { head = try signed(head, by: sign) }
    if output == "-" { return StandardOutput.write(head.json) }
    try AuditExport.write(head.json.outputText + "\n", to: output)
  }

  private func signed(_ head: AuditHead, by path: String) throws -> AuditHead {
    #if Encryption
      var status = stat()
      if stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
        throw MemoryError(.invalid, "others than its owner can read \(path); make it 0600 (chmod 600), and a new key")
      }
      return try AuditSigningKey(text: FileBytes.text(path)).signed(head)
    #else
      throw ValidationError(Self.needsTrait("--sign \(path)"))
    #endif
  }
}

struct AuditRequire: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "require", abstract: "Makes the store refuse writes that leave no record.",
    discussion: """
      From then on every process needs an actor to write, also those that have the store open already. Needs --actor itself. A \
      program that writes the file without the engine, such as sqlite3, is not held up, and audit verify --rows shows what it changed.

      EXAMPLES:
        episodic audit require --actor admin
        episodic audit require --off --actor admin
      """)

  @OptionGroup var store: StoreOptions

  @Flag(help: "Accept writes without a record again.")
  var off = false

  func run() async throws {
    try await store.withMemory(printing: false, for: .shortWrite) { memory in try await memory.setAuditRequired(!off) }
  }
}

extension AuditRecord {
  fileprivate func line(_ format: TimeFormat) -> String {
    let counts = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    return "\(number)  \(format.exact(at))  \(actor.onOneLine)  \(verb.onOneLine)"
      + (counts.isEmpty ? "" : "  \(counts.onOneLine)")
  }
}

extension AuditVerification {
  fileprivate var lines: String {
    var lines = findings.map { "FAILED  \($0.kind.rawValue)  \($0.message.onOneLine)" }
    if omittedFindings > 0 { lines.append("and \(omittedFindings) more") }
    lines.append("\(counted(Int(clamping: records), "record")), the last \(number) \(digest)")
    if let rows {
      lines.append(
        "compared \(counted(rows.episodes, "episode")), \(counted(rows.steps, "step")), \(counted(rows.patterns, "pattern")); "
          + "\(counted(rows.unrecorded, "row")) in no record")
    }
    if isPassed { lines.append("ok") }
    return lines.joined(separator: "\n")
  }
}
