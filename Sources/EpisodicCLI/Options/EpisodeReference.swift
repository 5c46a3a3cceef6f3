import ArgumentParser
import Episodic

/// Names an episode: by its id, by a beginning of the id that no other has, or by its age: `@last`, `@1` (the same), `@2`.
enum EpisodeReference {
  static let help = "Id of the episode, a unique beginning of it, @last, or @2 for the second newest."
  /// Ids that a message about an ambiguous beginning names.
  private static let maximumCandidates = 5

  /// The id that a text names.
  ///
  /// `@last` and `@2` always mean a place; of other texts an id that is equal wins.
  ///
  /// - Parameter domain: Where to look; `nil` for everywhere. An id of another domain is as one that is not there (I8).
  /// - Parameter isWhole: Whether only a whole id is meant: a call that may begin an episode takes no beginning of another's
  ///   id for it.
  /// - Throws: `.notFound`; `.invalid` if several ids begin with the text, naming some of them.
  static func resolve(
    _ text: String, in domain: String?, _ memory: Memory, isWhole: Bool = false
  ) async throws(MemoryError) -> Episode.ID {
    let scope = domain.map(Query.Scope.domain) ?? .everything
    let wanted = Episode.ID(text)
    guard !text.isEmpty else { throw MemoryError(.invalid, "the episode's id is empty; give one, or @last") }
    if let place = try place(text) { return try await newest(place, text, scope, memory) }
    let found = try await memory.episodeIDs(beginningWith: wanted.rawValue, in: scope, limit: maximumCandidates + 1)
    if found.first == wanted { return wanted }
    guard !isWhole else { return wanted }
    switch found.count {
    case 0: throw MemoryError(.notFound, "no episode \"\(text)\"; list shows the ones there are")
    case 1: return found[0]
    default:
      let all = found.prefix(maximumCandidates).map(\.rawValue).joined(separator: ", ")
      let more = found.count > maximumCandidates ? ", …" : ""
      throw MemoryError(.invalid, "several episodes begin with \"\(text)\": \(all)\(more); write more of the id")
    }
  }

  /// The n of `@n`, counted from 1; `nil` for an id.
  static func place(_ text: String) throws(MemoryError) -> Int? {
    guard text.hasPrefix("@") else { return nil }
    if text == "@last" { return 1 }
    guard let place = Int(text.dropFirst()) else { return nil }
    guard (1...1000).contains(place) else {
      throw MemoryError(.invalid, "\"\(text)\" is outside @1 to @1000, the newest ones; write an id")
    }
    return place
  }

  private static func newest(
    _ place: Int, _ text: String, _ scope: Query.Scope, _ memory: Memory
  ) async throws(MemoryError) -> Episode.ID {
    let ids = try await memory.newestEpisodeIDs(in: scope, limit: place)
    guard ids.count == place else {
      throw MemoryError(.notFound, "no episode \(text): there are \(ids.count); list shows them")
    }
    return ids[place - 1]
  }
}

/// The episode that a command works on, and `-` after it or in its place to read one JSON object from standard input.
struct EpisodeArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "\(EpisodeReference.help) - takes it from the object on standard input.", valueName: "id"))
  var episode: String

  @Argument(help: ArgumentHelp("- to read one JSON object from standard input instead of options.", valueName: "-"))
  var input: String?

  @Option(help: ArgumentHelp("Look for the episode in this domain only.", valueName: "domain"))
  var domain: String?

  var readsInput: Bool { episode == "-" || input != nil }

  func validate() throws {
    if let input, input != "-" || episode == "-" {
      throw ValidationError("unexpected argument \"\(input)\"; after the id there is only -, for standard input")
    }
  }

  /// The text that names the episode.
  ///
  /// - Parameter object: The object on standard input, of which a member `id` is taken, if it is read.
  /// - Throws: `.invalid` if there is none, or two.
  func reference(_ object: inout InputObject) throws(MemoryError) -> String {
    let id = try object.text("id")
    switch (episode, id) {
    case ("-", let id?): return id
    case ("-", nil): throw MemoryError(.invalid, "id is missing; name the episode before -, or in the object")
    case (let given, let id?) where given != id:
      throw MemoryError(.invalid, "the object's id is \"\(id)\", and the command's is \"\(given)\"; name one")
    case (let given, _): return given
    }
  }
}
