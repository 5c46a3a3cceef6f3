import ArgumentParser
import Episodic

struct Receipts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "receipts",
    abstract: "Lists what was erased from the store, without its content.",
    discussion: """
      A receipt says by what rows were chosen, how many there were and when, and has keyed digests of their ids: only who has \
      the store can find out whether an id is among them. --verify looks for each of them in the store and in the copies in its \
      folder backups, and exits 1 if the store has one. An id that was used again since is found, too.

      EXAMPLES:
        episodic receipts
        episodic receipts --verify --json
      """)

  @OptionGroup var store: StoreOptions

  @Flag(help: "Look whether what was erased is gone.")
  var verify = false

  @Flag(help: "Print each receipt as one JSON object on a line.")
  var json = false

  func run() async throws {
    let holds = try await store.withMemory { memory in
      var holds = true
      for receipt in try await memory.receipts() {
        let verification = verify ? try await memory.verify(receipt.id) : nil
        if verification?.holds == false { holds = false }
        StandardOutput.write(json ? Self.json(receipt, verification).outputText : Self.line(receipt, verification))
      }
      return holds
    }
    if !holds {
      StandardError.write(
        "episodic: something that was erased is in the store, or traces are left in its files; see the lines above")
      throw ExitCode(1)
    }
  }

  private static func json(_ receipt: ErasureReceipt, _ verification: ErasureVerification?) -> JSON {
    var members = receipt.json().members ?? JSON.Object()
    if let verification {
      members["verified"] = .bool(verification.holds)
      members["found"] = .integer(Int64(verification.found.count))
      members["backups"] = .array(verification.backups.map(JSON.string))
    }
    return .object(members)
  }

  private static func line(_ receipt: ErasureReceipt, _ verification: ErasureVerification?) -> String {
    var line = "\(receipt.erasedAt)  \(receipt.id)  by \(receipt.selection.kind): \(receipt.counts.sentence)"
    if receipt.cleanedAt == nil { line += "; traces are left in the files" }
    if let verification {
      line += verification.found.isEmpty ? "; gone" : "; \(verification.found.count) found in the store"
    }
    let backups = verification?.backups ?? receipt.backups
    if !backups.isEmpty { line += "; still in " + backups.joined(separator: ", ") }
    return line.onOneLine
  }
}
