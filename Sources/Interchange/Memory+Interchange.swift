import FileLocks
public import EpisodicMemory

extension Memory {
  /// Imports episodes, one JSON object a line, from files in the order given.
  ///
  /// By default every line is checked before the first is stored, so that one bad line keeps everything out. The lines
  /// are then stored in several transactions: a full disk or a kill can stop the import between two of them, and an import
  /// repeated with `ExistingPolicy.skip` continues it. Memory use is constant apart from the ids. A pipe is copied to a
  /// temporary file.
  ///
  /// - Parameter vectors: Vectors of the contexts, one row for every line of all files together; blank lines have none.
  /// - Parameter progress: Called on the caller's executor, after each portion of at most 64 lines.
  /// - Throws: `.cancelled`; `.invalid` for bad lines, with `RejectedLines` as its cause, or files that cannot be read;
  ///   `.dimensionMismatch` if the model's vectors in the store have another length (I6).
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

  /// Exports every episode, one JSON object a line, in the order of recording.
  ///
  /// Lossless: importing the result gives the same episodes, in the same order in lists and among equal scores. Ids, task
  /// types, domains and sessions are written as stored, in Unicode normalisation form C; numbers of metadata as 64-bit
  /// integers or doubles. A file appears under its name only when it is complete.
  ///
  /// - Returns: The number of episodes.
  /// - Throws: `.invalid` if the file cannot be created, `.unavailable` if it cannot be written.
  @discardableResult
  public func exportEpisodes(to output: OutputFile) async throws(MemoryError) -> Int {
    try await exportEpisodes(to: output) { _ in }
  }

  /// Exports the records of the audit, one JSON object a line, as far as there are any at the beginning.
  ///
  /// A file appears under its name only when it is complete. `AuditChain` verifies it without the store.
  ///
  /// - Returns: The number of records.
  /// - Throws: As `exportEpisodes(to:)`.
  @discardableResult
  public func exportAudit(to output: OutputFile) async throws(MemoryError) -> Int {
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let writer = try LineWriter(output)
      let end = try await self.auditHead().number
      var (count, last) = (0, Int64(0))
      while last < end {
        try MemoryError.throwIfCancelled()
        let records = try await self.audit(after: last, limit: 1000).filter { $0.number <= end }
        guard let newest = records.last else { break }
        for record in records { try writer.write(record.json.outputText) }
        (count, last) = (count + records.count, newest.number)
      }
      try writer.finish()
      return count
    }
  }

  /// - Parameter progress: Called with the number of episodes written, after each page, on a thread of `BlockingWork`.
  package func exportEpisodes(
    to output: OutputFile, progress: @escaping @Sendable (Int) -> Void
  ) async throws(MemoryError) -> Int {
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let writer = try LineWriter(output)
      var count = 0
      var cursor: Episode.Page.Cursor?
      repeat {
        try MemoryError.throwIfCancelled()
        let page = try await self.episodesAsRecorded(after: cursor, limit: 100)
        for episode in page.elements { try writer.write(episode.json.outputText) }
        count += page.elements.count
        cursor = page.next
        progress(count)
      } while cursor != nil
      try writer.finish()
      return count
    }
  }

  /// Answers every query of a file and writes one result a line, in the order of the file.
  ///
  /// A query without a word or a vector, such as `???`, gets a line with no results.
  ///
  /// - Parameter vectors: One row for every line; not read in the mode `text`.
  /// - Throws: `.invalid` for a bad line, before the first query runs, unless `options.keepGoing`; otherwise as
  ///   `recall(_:)`, with file and line.
  @discardableResult
  public func recall(
    queries file: InputFile, vectors: VectorSource? = nil, to output: OutputFile, options: QueriesOptions = .init()
  ) async throws(MemoryError) -> QueriesReport {
    try await BlockingWork.shared.perform { () async throws(MemoryError) in
      let queries = try QueryFile(file, vectors: vectors, options: options, limits: self.limits)
      let writer = try LineWriter(output)
      var report = QueriesReport()
      report.rejected = queries.rejected
      for entry in queries.entries {
        try MemoryError.throwIfCancelled()
        let begin = ContinuousClock.now
        var hits: [Hit] = []
        do throws(MemoryError) {
          if try entry.query.isEmpty() {
            report.empty.append(entry.rejected("the query has no word and no vector"))
          } else {
            hits = try await self.recall(entry.query)
          }
        } catch let error where options.keepGoing && error.code.isOfInput {
          report.rejected.append(entry.rejected(error.message))
          continue
        } catch {
          throw error.located(at: "\(entry.file):\(entry.line)")
        }
        try writer.write(ResultLine(queryID: entry.id, hits: hits, duration: ContinuousClock.now - begin).text)
        report.answered += 1
      }
      try writer.finish()
      report.rejected.sort { $0.line < $1.line }
      return report
    }
  }
}
