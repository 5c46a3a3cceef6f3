/// Something that must not happen, and how to see it again.
struct FaultProblem: Encodable {
  enum What: String, Encodable, CaseIterable {
    /// An acknowledged write is not there, or cannot be found.
    case lost
    /// A signal ended a process, other than the one that we sent.
    case crash
    /// A process did not end in time.
    case hang
    /// An exit code that says something else than what is so.
    case code = "wrong code"
    /// An answer that is not right, or a check that fails.
    case answer = "wrong answer"
    /// Something was left behind.
    case leftover
  }

  let what: What
  let kind: FaultKind
  let verb: FaultVerb
  /// The call, its number, and how it failed.
  let strike: String
  /// What the struck call was about, within the store's folder.
  let file: String
  let how: String
  /// The command that shows it, as far as chance allows.
  let again: String

  var text: String {
    "\(what.rawValue): \(kind.rawValue) \(verb.rawValue), \(strike)\(file.isEmpty ? "" : " on \(file)"): \(how)\n    \(again)"
  }
}
