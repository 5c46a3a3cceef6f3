extension String {
  /// What a message of the library calls by the name of its API, and what the command calls it.
  private static let commandTerms = [
    ("call check()", "run check"), ("check() found", "check found"), ("call rebuild()", "run rebuild"),
    ("call rebuild(acceptingTexts: true)", "run rebuild --accept-texts"), ("the option repair", "--repair"),
    ("call Memory.salvage(from:to:)", "run salvage"),
    ("raise maximumLineBytes", "raise the limit (--max-line)"),
    ("look for its id with episodes(_:in:)", "list shows the ids there are"),
    ("if the clock is right, accept it,", "if the clock is right, run retention apply --accept-clock,"),
    ("use a newer build, or remove all policies", "use a newer build, or run retention clear --force"),
    ("correct the name, or allow unknown domains", "correct the name, or give --force"),
    ("a full run does it at once", "maintain --full does it at once"),
    ("create one, or name another", "make one with import or record, or name another"),
    ("call resumeErasures()", "run maintain"),
    ("the option acceptsOtherStore", "--other-store"),
    ("give the option key", "give --key-file or EPISODIC_KEY"),
    ("make one with StoreKey.random()", "make one with keys new"),
    (
      "while it was open; nothing was written: open it again",
      "while it was open; nothing was written: run the command again"
    ),
    ("look for its id with tasks(_:after:limit:)", "ledger task list shows the ids there are"),
    ("look for it with runs(_:after:limit:)", "look for it with ledger run list"),
    ("look for it with agents(_:after:limit:)", "look for it with ledger agent list"),
    ("look for its id with undelivered(after:limit:)", "ledger outbox list shows the ids there are"),
    ("look for its id with entries(of:after:limit:)", "ledger run show has the ids there are"),
    ("name a directory, or say nothing of keeping", "name a directory, or leave out --keep and --keep-days"),
  ]

  /// A message of the library in the words of the command.
  var inCommandTerms: String {
    // The command has the defaults of the limits, and no option that raises one.
    Self.commandTerms.reduce(self) { message, term in message.replacing(term.0, with: term.1) }
      .replacing(/\ or (?:raise|lower) limits\.[A-Za-z]+/, with: "")
  }
}
