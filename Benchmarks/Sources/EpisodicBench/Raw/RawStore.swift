import CRawSQLite
import Episodic

/// The yardstick: a file created by the library and used through SQLite's C interface.
final class RawStore {
  private let store: OpaquePointer

  /// Opens the `memory.sqlite` of a folder.
  init(in folder: String, durability: Memory.Durability) throws {
    var opened: OpaquePointer?
    let code = raw_open(folder + "/memory.sqlite", durability == .full ? 1 : 0, &opened)
    guard code == 0, let opened else {
      defer { raw_close(opened) }
      throw BenchError("raw SQLite cannot open \(folder): \(String(cString: raw_message(opened)))")
    }
    store = opened
  }

  deinit { raw_close(store) }

  /// Creates a store with the library, for its schema, and opens it.
  static func make(in folder: String, durability: Memory.Durability) async throws -> RawStore {
    let memory = try await Memory.open(at: folder)
    try await memory.close()
    return try RawStore(in: folder, durability: durability)
  }

  func insert(_ episodes: RawEpisodes) throws {
    try episodes.withBuffer { try check(raw_insert(store, $0.baseAddress, Int32($0.count))) }
  }

  func append(_ steps: RawSteps, from index: Int, count: Int = 1) throws {
    try steps.withBuffer { buffer in
      let slice = UnsafeBufferPointer(rebasing: buffer[index..<index + count])
      try check(raw_append(store, steps.episodes[index], slice.baseAddress, Int32(count)))
    }
  }

  func digest(_ id: raw_text) throws -> UInt64 {
    var digest: UInt64 = 0
    try check(raw_read(store, id, &digest))
    return digest
  }

  /// Prepares a query with one parameter whose result is a row of integers.
  func query(_ sql: String, columns: Int) throws -> RawQuery {
    var prepared: OpaquePointer?
    try check(raw_prepare(store, sql, &prepared))
    guard let prepared else { throw BenchError("\(sql) is no statement") }
    return RawQuery(prepared, columns: columns, of: self)
  }

  func check(_ code: Int32) throws {
    guard code == 0 else { throw BenchError("raw SQLite: \(String(cString: raw_message(store)))") }
  }
}

/// Episodes with steps, prepared for binding.
final class RawEpisodes {
  private let steps: RawSteps
  private let texts = RawTexts()
  private let episodes: UnsafeMutableBufferPointer<raw_episode>

  init(_ episodes: [Episode]) {
    self.episodes = .allocate(capacity: episodes.count)
    steps = RawSteps(episodes.flatMap { episode in episode.steps.map { ($0, episode.id) } })
    var first = 0
    for (index, episode) in episodes.enumerated() {
      let start = steps.withBuffer { $0.baseAddress?.advanced(by: first) }
      first += episode.steps.count
      self.episodes.initializeElement(at: index, to: raw_episode(episode, steps: start, texts))
    }
  }

  deinit { episodes.deallocate() }

  func withBuffer<Result>(_ body: (UnsafeBufferPointer<raw_episode>) throws -> Result) rethrows -> Result {
    try body(UnsafeBufferPointer(episodes))
  }
}

extension raw_episode {
  /// Metadata are `{}` in every episode of the workload.
  fileprivate init(_ episode: Episode, steps: UnsafePointer<raw_step>?, _ texts: RawTexts) {
    self.init(
      id: texts.text(episode.id.rawValue), task_type: texts.text(episode.taskType.rawValue),
      domain: texts.text(episode.domain), session: texts.text(episode.session), context: texts.text(episode.context),
      status: texts.text(episode.status.rawValue), metadata: texts.text("{}"),
      success_rate: episode.successRate ?? 0, created_at: episode.createdAt.milliseconds,
      completed_at: episode.completedAt?.milliseconds ?? 0, is_completed: episode.completedAt == nil ? 0 : 1,
      steps: steps, step_count: Int32(episode.steps.count))
  }
}

/// Steps with their episodes' ids, prepared for binding.
final class RawSteps {
  private let texts = RawTexts()
  private let steps: UnsafeMutableBufferPointer<raw_step>
  let episodes: [raw_text]

  init(_ steps: [(step: Step, episode: Episode.ID)]) {
    self.steps = .allocate(capacity: steps.count)
    episodes = steps.map { [texts] in texts.text($0.episode.rawValue) }
    for (index, (step, _)) in steps.enumerated() {
      self.steps.initializeElement(at: index, to: raw_step(step, texts))
    }
  }

  deinit { steps.deallocate() }

  func withBuffer<Result>(_ body: (UnsafeBufferPointer<raw_step>) throws -> Result) rethrows -> Result {
    try body(UnsafeBufferPointer(steps))
  }
}

extension raw_step {
  /// The workload gives every step a duration and a success.
  init(_ step: Step, _ texts: RawTexts) {
    let duration = step.duration ?? .zero
    self.init(
      id: texts.text(step.id.rawValue), action: texts.text(step.action), result: texts.text(step.result),
      tool: texts.text(step.tool), number: Int64(step.number), duration_ms: Int64(duration / .milliseconds(1)),
      success: step.success == true ? 1 : 0, timestamp: step.timestamp.milliseconds)
  }
}

/// A prepared query whose result is a row of integers.
final class RawQuery {
  private let query: OpaquePointer
  private let columns: Int
  /// Must outlive its statements.
  private let store: RawStore

  init(_ query: OpaquePointer, columns: Int, of store: RawStore) {
    self.query = query
    self.columns = columns
    self.store = store
  }

  deinit { raw_finalize(query) }

  /// The committed row; `nil` if there is none.
  func ask(_ argument: String) throws -> [Int64]? {
    let texts = RawTexts()
    var values = [Int64](repeating: 0, count: columns)
    var isFound: Int32 = 0
    try store.check(raw_ask(query, texts.text(argument), &values, Int32(columns), &isFound))
    return isFound == 0 ? nil : values
  }
}

/// Owns the bytes that `raw_text` values point to.
final class RawTexts {
  private var owned: [UnsafeMutableRawBufferPointer] = []

  deinit {
    for bytes in owned { bytes.deallocate() }
  }

  func text(_ string: String?) -> raw_text {
    guard var string else { return raw_text(bytes: nil, count: 0) }
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, string.utf8.count), alignment: 1)
    string.withUTF8 { bytes.copyMemory(from: UnsafeRawBufferPointer($0)) }
    owned.append(bytes)
    return raw_text(bytes: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), count: Int32(string.utf8.count))
  }
}
