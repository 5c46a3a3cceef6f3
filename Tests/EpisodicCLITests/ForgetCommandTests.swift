import Foundation
import Testing

@Suite struct `forget` {
  let episodic: CommandLineTool

  init() throws {
    episodic = try CommandLineTool()
    try episodic.record(["--episode", "leak", "--", "sh", "-c", "echo the word is SEKRET-ZQX9-0001"])
    try episodic.record(["--episode", "fine", "--", "echo", "all is well"])
  }

  @Test func `reads a text from standard input, leaves no byte of it, and prints the receipt`() throws {
    try episodic("recall", "word", "--everywhere")
    let dry = try episodic("forget", "--text", "-", "--everywhere", "--dry-run", input: "SEKRET-ZQX9-0001\n")
    #expect(dry.status == 0 && dry.output == "would erase 1 episode, 1 step\n", "\(dry)")
    let refused = try episodic("forget", "--text", "-", "--everywhere", input: "SEKRET-ZQX9-0001\n")
    #expect(refused.status == 2 && refused.errors.contains("--yes"), "\(refused)")
    let done = try episodic("forget", "--text", "-", "--everywhere", "--yes", "--json", input: "SEKRET-ZQX9-0001\n")
    #expect(done.status == 0 && (done.json?["counts"] as? [String: Int])?["episodes"] == 1, "\(done)")
    #expect(try episodic("show", "leak").status == 1 && (try episodic("show", "fine")).status == 0)
    let found = try episodic.shell("grep -rlaF SEKRET-ZQX9 \"$EPISODIC_STORE\"")
    #expect(found.output.isEmpty, "\(found)")
    let receipts = try episodic("receipts", "--verify", "--json")
    #expect(receipts.status == 0 && receipts.json?["verified"] as? Bool == true, "\(receipts)")
    #expect(try episodic("receipts").output.contains("by text: 1 episode, 1 step"))
    let again = try episodic("forget", "--text", "SEKRET-ZQX9-0001", "--everywhere", "--yes")
    #expect(again.status == 1 && !again.errors.contains("SEKRET"), "\(again)")
  }

  @Test func `leaves no byte of a text that was replaced, once everything is rebuilt`() throws {
    try episodic("recall", "word", "--everywhere")
    let replaced = try episodic.shell(
      """
      grep -rlaF SEKRET-ZQX9 "$EPISODIC_STORE" > /dev/null || echo memory.sqlite has never had it
      episodic show leak --json | sed 's/SEKRET-ZQX9-0001/[removed]/g' > "$EPISODIC_STORE.jsonl"
      episodic import --existing replace "$EPISODIC_STORE.jsonl" && episodic rebuild
      grep -rlaF SEKRET-ZQX9 "$EPISODIC_STORE"
      """)
    #expect(!replaced.output.contains("memory.sqlite") && !replaced.output.contains("mdb"), "\(replaced)")
  }

  @Test func `takes beginnings of ids and places, and an id that only a copy has`() throws {
    try episodic("backup")
    let last = try episodic("forget", "--episode", "@last", "--everywhere", "--yes")
    #expect(last.status == 0 && last.errors.contains("1 episode"), "\(last)")
    #expect(try episodic("show", "fine").status == 1)
    #expect(try episodic("forget", "--episode", "@2", "--everywhere", "--yes").status == 1)
    let question = try episodic("forget", "--episode", "lea", "--everywhere")
    #expect(question.status == 2 && question.errors.contains(" of leak for good?"), "\(question)")
    try episodic("delete", "leak")
    let gone = try episodic("forget", "--episode", "leak", "--everywhere", "--yes")
    #expect(gone.status == 0 && gone.errors.contains("still in backups/memory-"), "\(gone)")
    try episodic("restore", "@latest", "--yes")
    #expect(try episodic("show", "leak").status == 1 && (try episodic("show", "fine")).status == 1)
    #expect(try episodic("receipts", "--verify").status == 0)
  }

  @Test func `says that a copy brings a text back that was changed before`() throws {
    try episodic("backup", "--gzip")
    try episodic("update", "fine", "--context", "nothing")
    let done = try episodic("forget", "--text", "all is well", "--everywhere", "--yes")
    #expect(done.status == 0 && done.errors.contains("after a restore: remove the copy"), "\(done)")
  }

  @Test(arguments: [
    ["forget", "--domain", "a", "--domain", "b", "--yes"],
    ["forget", "--text", "a", "--text=b", "--everywhere", "--yes"],
    ["forget", "--session", "a", "--domain", "x", "--session", "b", "--yes"],
    ["retention", "set", "--domain", "a", "--domain", "b", "--max-episodes", "1", "--force"],
    ["stats", "--domain", "a", "--domain", "b"], ["recall", "word", "--domain", "a", "--domain", "b"],
  ]) func `and every other verb refuse an option of one value that is given twice`(_ arguments: [String]) throws {
    let result = try episodic.run(arguments)
    #expect(result.status == 2 && result.errors.contains("is given twice"), "\(result)")
  }

  @Test(arguments: [
    (["--everywhere"], "nothing is named"), (["--text", "x"], "--everywhere"),
    (["--session", "s", "--text", "x", "--everywhere"], "several"),
    (["--everything", "--everywhere"], "--yes"), (["--between", "2026-01-01", "--everywhere"], "give two"),
    (["--between", "2026-02-01", "2026-01-01", "--everywhere", "--yes"], "earlier"),
    (["--metadata", "x", "--everywhere", "--yes"], "path=value"), (["--domain", "web", "--everywhere"], "exclude"),
  ]) func `refuses what it cannot mean`(_ arguments: [String], _ word: String) throws {
    let result = try episodic.run(["forget"] + arguments)
    #expect(result.status == 2 && result.errors.contains(word), "\(result)")
    #expect(try episodic("show", "leak").status == 0)
  }
}
