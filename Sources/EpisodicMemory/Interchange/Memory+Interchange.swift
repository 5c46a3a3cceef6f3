extension Memory {
  /// Imports episodes, one JSON object a line, from files in the order given.
  ///
  /// Unless it keeps going, every line is checked before anything is stored, so one bad line keeps everything out; what
  /// is then stored in several transactions can still be cut short by a full disk or a kill, and an import repeated
  /// with `ExistingPolicy.skip` takes it up again. Constant memory, but for the ids. A pipe is copied to a temporary file.
  ///
  /// - Parameter vectors: One row for every line of all files together, blank ones not counted; of the contexts.
  /// - Parameter progress: Called now and then, where the caller runs.
  /// - Throws: `.cancelled`; `.invalid` for bad lines, with `RejectedLines` as its cause, or files that cannot be read;
  ///   `.dimensionMismatch` where the model's vectors in the store have another length (I6).
  public func importEpisodes(
    from files: [InputFile], vectors: VectorSource? = nil, options: ImportOptions = .init(),
    progress: (ImportProgress) -> Void = { _ in }
  ) async throws(MemoryError) -> ImportReport {
    let (limits, clock) = (limits, clock)
    var importer = try await BlockingWork.shared.run { () throws(MemoryError) in
      try Importer(files: files, vectors: vectors, options: options, limits: limits, clock: clock)
    }
    return try await importer.run(into: self, progress)
  }

  /// Exports every episode, one JSON object a line, in the order in which they were recorded.
  ///
  /// Lossless: an import of the result gives the same episodes, in a list and among equal answers in the same order. Ids,
  /// task types, domains and sessions are kept in Unicode normalisation form C and numbers of metadata as 64-bit integers or
  /// doubles, as they were when they were recorded. A file appears under its name only when it is complete.
  ///
  /// - Returns: How many there were.
  /// - Throws: `.invalid` where the file cannot be made, `.unavailable` where it cannot be written.
  @discardableResult
  public func exportEpisodes(to output: OutputFile) async throws(MemoryError) -> Int {
    let primary = primary
    return try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let writer = try LineWriter(output)
      var count = 0
      var cursor: PageCursor?
      repeat {
        try MemoryError.throwIfCancelled()
        let page = try await primary.episodesAsRecorded(after: cursor, limit: 100)
        for episode in page.elements { try writer.write(episode.json.outputText) }
        count += page.elements.count
        cursor = page.next
      } while cursor != nil
      try writer.finish()
      return count
    }
  }

  /// Recalls for every query of a file and writes one result a line, in the order of the file.
  ///
  /// A query with nothing to look for, such as `???`, gets a line without results: which texts have words is not for the
  /// caller to know.
  ///
  /// - Parameter vectors: One row for every line; left aside in the mode `text`.
  /// - Throws: `.invalid` where a line is bad and is not to be left out, before any is asked; otherwise as `recall(_:)`, with
  ///   file and line.
  @discardableResult
  public func recall(
    queries file: InputFile, vectors: VectorSource? = nil, to output: OutputFile, options: QueriesOptions = .init()
  ) async throws(MemoryError) -> QueriesReport {
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      try await self.answer(file, vectors: vectors, to: output, options)
    }
  }

  private func answer(
    _ file: InputFile, vectors: VectorSource?, to output: OutputFile, _ options: QueriesOptions
  ) async throws(MemoryError) -> QueriesReport {
    let queries = try QueryFile(file, vectors: vectors, options: options, limits: limits)
    let writer = try LineWriter(output)
    var report = QueriesReport()
    report.rejected = queries.rejected
    for entry in queries.entries {
      try MemoryError.throwIfCancelled()
      let begin = ContinuousClock.now
      var hits: [Hit] = []
      do throws(MemoryError) {
        if try hasSomethingToLookFor(entry.query) {
          hits = try await recall(entry.query)
        } else {
          report.empty.append(
            RejectedLine(file: entry.file, line: entry.line, reason: "the query has no word and no vector"))
        }
      } catch let error where options.keepGoing && error.code == .invalid {
        report.rejected.append(RejectedLine(file: entry.file, line: entry.line, reason: error.message))
        continue
      } catch {
        throw error.located(at: entry.place)
      }
      try writer.write(ResultLine(queryID: entry.id, hits: hits, duration: ContinuousClock.now - begin).text)
      report.answered += 1
    }
    try writer.finish()
    report.rejected.sort { $0.line < $1.line }
    return report
  }

  private func hasSomethingToLookFor(_ query: Query) throws(MemoryError) -> Bool {
    guard query.vector == nil else { return true }
    return try !SearchTerms(text: query.text, phrases: query.phrases, prefixes: query.prefixes).isEmpty
  }
}
