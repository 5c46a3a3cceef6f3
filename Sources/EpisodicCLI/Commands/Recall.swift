import ArgumentParser
import Episodic
import Foundation

struct Recall: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recall",
    abstract: "Finds the past episodes that match a question, best first, with what matched.",
    discussion: """
      TEXT is natural words, never query syntax; rare words weigh most. Completed and failed episodes are searched, \
      others with --status. A domain or --everywhere is required: by default nothing leaves its domain.

      Quarantined episodes are left out, and those that are not trusted come after all that are, at most 3 of one source; see \
      episodic help trust.

      What TEXT says of time, such as "last Tuesday", "in May 2023" or "two weeks before June 9", prefers episodes of that time; \
      --at says when the question is asked, if not now.

      The score is shown as a share of the best hit's; --json has it as it is. --full shows the steps and their results. \
      --prompt prints a block to put before a model's task: the best hits, framed as recorded notes and not instructions, \
      between markers that the notes cannot contain. It has at most --tokens, by an estimate: the task of each hit first, then \
      the steps that matched, the last error and the last step. --tokens shortens other output alike, and says what was left out. \
      TEXT - reads the question from standard input. Exits 1 if nothing is found.

      --explain shows what the hits were found by, and --why-not ID what became of an episode that is missed: raw bm25 and \
      similarities, what each signal adds to the score, the words that it lacks.

      With --queries, a file of questions is answered: one {"id", "text", "filters": {"domain"?, "session"?, \
      "task_type"?, "status"?, "after"?, "before"?}, "at"?} a line in, one {"query_id", "results": [{"id", "score"}], "ms"} a \
      line out, in the same order; metadata, category and exclude_ids of a query are ignored, any other member refused. "at" says when a \
      question is asked. A query without a domain searches every domain; one without a word gets a line \
      without results, and a warning.

      EXAMPLES:
        episodic recall flaky checkout test --domain web
        episodic recall timeout --everywhere --status failed --after 7d --json
        episodic recall "$task" --domain web --prompt --tokens 1500
        episodic recall "what broke last Tuesday" --domain web --at 2026-03-05 --neighbors 2
        episodic recall flaky checkout test --domain web --why-not @last
        episodic recall --phrase "permission denied" --prefix migrat --domain db
        episodic recall --queries questions.jsonl --output answers.jsonl --limit 100
        episodic recall --queries q.jsonl --query-vectors q.f32 --dimensions 384 --output -
      """)

  @OptionGroup var store: StoreOptions

  @Argument(help: ArgumentHelp("Words to search for; - is standard input.", valueName: "text"))
  var text: [String] = []

  @Option(help: ArgumentHelp("Search this domain only.", valueName: "domain"))
  var domain: String?

  @Flag(help: "Search every domain.")
  var everywhere = false

  @Option(help: ArgumentHelp("Words that must occur side by side; may be given again.", valueName: "words"))
  var phrase: [String] = []

  @Option(help: ArgumentHelp("The beginning of a word that must occur; may be given again.", valueName: "letters"))
  var prefix: [String] = []

  @Option(help: "hybrid (words, and vectors if given), text, or vector.")
  var mode = RecallMode.hybrid

  @Option(help: ArgumentHelp("Episodes to show, 1 to 1000.", valueName: "n"))
  var limit = 10

  @Option(help: ArgumentHelp("Omit episodes with a lower score.", valueName: "score"))
  var minimumScore: Double?

  @Option(help: ArgumentHelp("Show at most so many episodes of one named source.", valueName: "n"))
  var perSource: Int?

  @Flag(help: "Compare every vector and rank every match, without the index: slower, and exact.")
  var exact = false

  @OptionGroup var filters: FilterOptions
  @OptionGroup var question: QuestionTimeOptions

  @Option(
    help: ArgumentHelp("Show the episodes before and after each in its session, 0 to 10 of each.", valueName: "n"))
  var neighbors = 0

  @Option(help: ArgumentHelp("File of queries, one JSON object a line; - is standard input.", valueName: "file"))
  var queries: String?

  @Option(help: ArgumentHelp("File of results of --queries; - is standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Skip bad lines of --queries, answer the rest, and exit 1.")
  var keepGoing = false

  @OptionGroup var vectors: VectorOptions

  @Flag(help: "Show the steps of each episode and their results.")
  var full = false

  @Flag(help: "Print a block of notes to put before a model's task.")
  var prompt = false

  @Option(
    help: ArgumentHelp(
      "Show at most so many estimated tokens of the hits; \(PromptBlock.defaultTokens) with --prompt if not given.",
      valueName: "n"))
  var tokens: Int?

  @Option(help: StepsOption.help)
  var steps = StepsOption.all

  @Flag(help: "Show how the hits were found: terms, times, and each signal of each hit.")
  var explain = false

  @Option(
    help: ArgumentHelp(
      "Say also why this episode is not among the hits; may be given again.", valueName: "id"))
  var whyNot: [String] = []

  @OptionGroup var times: TimeOptions
  @OptionGroup var printing: OutputOptions

  func validate() throws {
    guard !(explains && prompt) else {
      throw ValidationError("--explain and --why-not explain to people, and --prompt is for a model; leave one out")
    }
    guard [full, prompt, printing.json].count(where: { $0 }) <= 1 else {
      throw ValidationError("--full, --prompt and --json exclude each other; give one")
    }
    let allowed = prompt ? PromptBlock.allowedTokens : FittedHits.allowedTokens
    if let tokens, !allowed.contains(tokens) {
      throw ValidationError("--tokens is \(tokens); it lies in \(allowed.lowerBound)...\(allowed.upperBound)")
    }
    guard (0...10).contains(neighbors) else {
      throw ValidationError("--neighbors is \(neighbors); it lies in 0...10")
    }
    if let queries { try NonUTF8Arguments.refuse(queries, as: "--queries") }
    if let output { try NonUTF8Arguments.refuse(output, as: "--output") }
    if mode == .vector, vectors.queryVectors == nil {
      throw ValidationError("--mode vector needs --query-vectors FILE and --dimensions N")
    }
    if queries == nil {
      guard output == nil else { throw ValidationError("--output is for the results of --queries; redirect instead") }
      guard !keepGoing else { throw ValidationError("--keep-going is for --queries; leave it out") }
      guard (domain != nil) != everywhere else {
        throw ValidationError("say where to search: either --domain DOMAIN or --everywhere")
      }
    } else {
      guard output != nil else { throw ValidationError("--queries needs --output FILE; - is standard output") }
      guard output == "-" || output != queries else {
        throw ValidationError("--output would overwrite the queries in \(output ?? ""); name another file")
      }
      guard text.isEmpty, phrase.isEmpty, prefix.isEmpty, domain == nil, filters.isEmpty else {
        throw ValidationError("with --queries, texts and filters are in the file of queries; leave the others out")
      }
      guard minimumScore == nil, perSource == nil, !exact else {
        throw ValidationError(
          "--minimum-score, --per-source and --exact are for a single question; leave them out with --queries")
      }
      guard tokens == nil, neighbors == 0, !explains else {
        throw ValidationError(
          "--tokens, --neighbors, --explain and --why-not are for a single question; leave them out with --queries")
      }
    }
  }

  func run() async throws {
    if let queries, let output {
      try await answer(queries, to: output)
      return
    }
    let query = try query()
    let answer = try await store.withMemory { memory in try await answered(query, memory) }
    let (hits, duration, explanation) = (answer.hits, answer.duration, answer.explanation)
    // The block of --prompt is fitted with its frame.
    let fitted = prompt ? nil : tokens.map { FittedHits(hits, tokens: $0) }
    if printing.json {
      StandardOutput.write(.object(json(hits, fitted, duration, explanation)))
    } else if hits.isEmpty {
      StandardError.write("nothing found")
    } else if prompt {
      StandardOutput.write(PromptBlock(hits, question: query.text, tokens: tokens ?? PromptBlock.defaultTokens).text)
    } else {
      let best = hits.first?.score ?? 0
      let format = times.format
      let blocks = (fitted?.hits ?? hits).enumerated().map { index, hit in
        full
          ? hit.fullLines(rank: index + 1, best: best, format) : hit.lines(rank: index + 1, best: best, format)
      }
      StandardOutput.write(blocks.map { $0.joined(separator: "\n") }.joined(separator: full ? "\n\n" : "\n"))
      if let omitted = fitted?.omitted, omitted != FittedHits.Omitted() {
        StandardError.write(
          "left out: \(counted(omitted.hits, "hit")), \(counted(omitted.steps, "step")), about \(counted(omitted.tokens, "token"))"
        )
      }
    }
    if let explanation, !printing.json {
      StandardOutput.write(explanation.lines(times.format).joined(separator: "\n"))
    }
    for unknown in answer.unknown {
      let count =
        unknown.episodes == UnknownWord.countedEpisodes ? "\(unknown.episodes) and more" : "\(unknown.episodes)"
      StandardError.write(
        "no episode has the word \"\(unknown.word.onOneLine)\"; --prefix \(unknown.word.onOneLine) would find \(count)")
    }
    if hits.isEmpty { throw ExitCode(1) }
  }

  private var explains: Bool { explain || !whyNot.isEmpty }

  private struct Answer {
    let hits: [Hit]
    let duration: Duration
    /// Words that only begin others.
    var unknown: [UnknownWord] = []
    var explanation: RecallExplanation?
  }

  private func answered(_ query: Query, _ memory: Memory) async throws -> Answer {
    let begin = ContinuousClock.now
    let hits = try await memory.recall(query)
    var answer = Answer(hits: hits, duration: ContinuousClock.now - begin)
    // Programs read the other forms.
    if !printing.json, !prompt { answer.unknown = try await memory.unknownWords(of: query) }
    if explains {
      var ids: [Episode.ID] = []
      for text in whyNot { ids.append(try await id(text, memory)) }
      answer.explanation = try await memory.explain(query, whyNot: ids)
    }
    return answer
  }

  /// The id that a text names; the text itself if there is none, which the explanation says.
  private func id(_ text: String, _ memory: Memory) async throws -> Episode.ID {
    do {
      return try await EpisodeReference.resolve(text, in: domain, memory)
    } catch {
      guard error.code == .notFound, !text.hasPrefix("@") else { throw error }
      return Episode.ID(text)
    }
  }

  private func json(
    _ hits: [Hit], _ fitted: FittedHits?, _ duration: Duration, _ explanation: RecallExplanation?
  ) -> JSON.Object {
    var members = JSON.Object()
    members["results"] = .array(fitted?.elements.map(\.json) ?? hits.map(\.json))
    members["ms"] = JSON(duration.fractionalMilliseconds)
    members["tokens"] = fitted.map { .integer(Int64($0.tokens)) }
    members["omitted"] = fitted?.omitted.json
    members["explanation"] = explanation?.json
    return members
  }

  private func answer(_ queries: String, to output: String) async throws {
    let askedAt = try question.time
    let report = try await store.withMemory(printing: output == "-") { memory in
      try await memory.recall(
        queries: InputFile(argument: queries), vectors: vectors.source, to: OutputFile(argument: output),
        options: QueriesOptions(
          mode: mode, limit: limit, keepGoing: keepGoing, askedAt: askedAt, timeZone: question.timeZone))
    }
    for line in report.empty {
      StandardError.write("episodic: warning: \(line.description.inCommandTerms.onOneLine); no results")
    }
    for line in report.rejected { StandardError.write("episodic: \(line.description.inCommandTerms.onOneLine)") }
    if !report.rejected.isEmpty { throw ExitCode(1) }
  }

  private func query() throws -> Query {
    let words = text == ["-"] ? try StandardInput.text() : text.joined(separator: " ")
    var query = Query(
      text: text.isEmpty || mode == .vector ? nil : words, phrases: phrase, prefixes: prefix,
      scope: domain.map { .domain($0) } ?? .everything, filter: filters.filter, limit: limit,
      minimumScore: minimumScore, isExact: exact, excerpts: true, askedAt: try question.time,
      timeZone: question.timeZone, neighbors: neighbors, maximumPerSource: perSource)
    // What people read has the number of the steps, unless it has the steps.
    query.steps = printing.json ? steps.selection : full || prompt || tokens != nil ? .all : .none
    if let source = vectors.source, mode != .text {
      query.vector = try source.onlyVector()
      query.space = source.space
    }
    return query
  }
}
