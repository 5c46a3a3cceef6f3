import Episodic
import Foundation

/// A process that tests start, share a store with, and kill.
///
/// Every line it prints acknowledges a write that was committed before.
@main
struct StoreWorker {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 4 else {
      throw Failure(
        "usage: StoreWorker record|audit|share|churn|consolidate|index|change|watch|witness|forget|learn|seal|write-sealed|write-into|scan DIRECTORY NAME [AMOUNT]"
      )
    }
    if arguments[1] == "scan" { return try scan(arguments[2], for: arguments[3]) }
    if arguments[1] == "consolidate" { return try await consolidate(in: arguments[2], name: arguments[3]) }
    if try await runsBackups(arguments) { return }
    var options = Memory.OpenOptions()
    if arguments[1] == "churn" { options.adjustForChurn() }
    if ProcessInfo.processInfo.environment["EPISODIC_KEY"] != nil { options.key = .environment() }
    if arguments[1] == "audit" { options.audit = .on(actor: arguments[3]) }
    if ["change", "watch"].contains(arguments[1]) {
      (options.durability, options.cache.isEnabled, options.index.isEnabled) = (.normal, false, false)
    }
    let memory = try await Memory.open(at: arguments[2], options: options)
    switch arguments[1] {
    case "record", "audit": try await record(memory, name: arguments[3])
    case "share":
      guard arguments.count == 5, let seconds = Double(arguments[4]) else { throw Failure("share needs SECONDS") }
      try await share(memory, name: arguments[3], seconds: seconds)
    case "churn":
      guard arguments.count == 5, let seconds = Double(arguments[4]) else { throw Failure("churn needs SECONDS") }
      try await churn(memory, name: arguments[3], seconds: seconds)
    case "index":
      guard arguments.count == 5, let count = Int(arguments[4]) else { throw Failure("index needs a COUNT") }
      try await index(memory, name: arguments[3], count: count)
    case "change":
      guard arguments.count == 5, let rounds = Int(arguments[4]) else { throw Failure("change needs ROUNDS") }
      try await change(memory, name: arguments[3], rounds: rounds)
    case "witness": try await witness(memory, name: arguments[3], of: arguments[4])
    case "forget": try await forget(memory, text: arguments[3])
    case "seal": try await seal(memory, domain: arguments[3])
    case "write-sealed": try await writeSealed(memory, name: arguments[3])
    case "write-into": try await write(memory, into: arguments[3])
    case "watch": try await watch(memory, log: arguments[3])
    case "maintain": try await maintain(memory, name: arguments[3])
    case "hold-maintenance": try await holdMaintenance(memory)
    case "learn":
      acknowledge("opened")
      try await memory.learn()
      acknowledge("learned")
    case "open":
      acknowledge("opened")
      try await memory.close()
    default: throw Failure("no mode \(arguments[1])")
    }
  }

  /// Imports and records until it is killed.
  private static func record(_ memory: Memory, name: String) async throws {
    for round in 0... {
      let imported = (0..<3).map { finished("\(name)-import-\(round)-\($0)", steps: 3) }
      try await memory.insert(imported)
      for episode in imported { acknowledge("episode \(episode.id) \(episode.steps.count)") }

      let episode = try await memory.begin(
        .init(.testing, domain: "crash", context: "recorded \(name)", id: Episode.ID("\(name)-record-\(round)")))
      acknowledge("episode \(episode.id) 0")
      for number in 1...4 {
        let step = try await memory.append(Step.Draft("word\(name)x\(round)x\(number)"), to: episode.id)
        acknowledge("step \(episode.id) \(step.number) \(step.action)")
      }
      _ = try await memory.complete(episode.id)
      acknowledge("completed \(episode.id)")
    }
  }

  /// Appends to its own episode, reads it back at once, and reads the episodes of the other workers.
  private static func share(_ memory: Memory, name: String, seconds: Double) async throws {
    let end = Date().addingTimeInterval(seconds)
    var steps = 0
    for round in 0... where Date() < end || round == 0 {
      let id = Episode.ID("\(name)-\(round)")
      _ = try await memory.begin(.init(.testing, domain: "shared", context: "share \(name)", id: id))
      for number in 1...20 {
        _ = try await memory.append(Step.Draft("step \(number) of \(name)"), to: id)
        guard let mine = try await memory.episode(id), mine.steps.count == number else {
          throw Failure("stale read: \(id) does not show step \(number) right after its commit")
        }
        for other in ["a", "b", "c", "d"] where other != name {
          guard let theirs = try await memory.episode(Episode.ID("\(other)-\(round)")) else { continue }
          guard theirs.steps.map(\.number) == Array(1...20).prefix(theirs.steps.count).map(\.self) else {
            throw Failure("torn read: \(theirs.id) has the steps \(theirs.steps.map(\.number))")
          }
        }
        steps += 1
      }
      _ = try await memory.complete(id)
      if Date() >= end {
        let cache = try await memory.statistics().cache[.episode]
        acknowledge("rounds \(round + 1) steps \(steps) hits \(cache.hits) misses \(cache.misses)")
        return
      }
    }
  }

  /// Reads far more than the cache can hold, and updates its own episode every 50 reads.
  private static func churn(_ memory: Memory, name: String, seconds: Double) async throws {
    let end = Date().addingTimeInterval(seconds)
    let id = Episode.ID("own-\(name)")
    _ = try await memory.begin(.init(.testing, domain: "churn", context: "0", id: id))
    var (reads, changes) = (0, 0)
    while Date() < end {
      let number = Int.random(in: 0..<2000)
      guard let episode = try await memory.episode(Episode.ID("large-\(number)")) else {
        throw Failure("large-\(number) is gone")
      }
      guard episode.steps.first?.action == "of large-\(number)" else { throw Failure("large-\(number) is another") }
      reads += 1
      if reads.isMultiple(of: 50) {
        changes += 1
        try await memory.update(id, with: .init(context: "\(changes)"))
      }
      guard try await memory.episode(id)?.context == "\(changes)" else { throw Failure("stale read of \(id)") }
    }
    let cache = memory.cacheStatistics()
    acknowledge("reads \(reads) failures \(cache.failures) evicted \(cache[.episode].evicted)")
    try await memory.close()
  }

  /// Inserts episodes one by one, each with its own word and vector.
  private static func index(_ memory: Memory, name: String, count: Int) async throws {
    for number in 0..<count {
      let now = Timestamp(Date())
      let id = Episode.ID("\(name)-\(number)")
      let episode = Episode(
        id: id, taskType: .testing, domain: name, context: "indexed\(number)", status: .completed, createdAt: now,
        completedAt: now)
      var vector = [Float](repeating: 0, count: 64)
      vector[number % 64] = 1
      try await memory.insert(
        [episode], embeddings: [.init(of: id, content: episode.context, vector: vector, model: "m")])
      acknowledge("indexed \(number)")
    }
    try await memory.close()
  }

  /// Makes ten changes a round: an episode is begun, gets eight steps, and is completed.
  private static func change(_ memory: Memory, name: String, rounds: Int) async throws {
    for round in 0..<rounds {
      let id = Episode.ID("\(name)-\(round)")
      _ = try await memory.begin(.init(.testing, domain: name, context: "", id: id))
      try await memory.append((1...7).map { Step.Draft("step \($0)") }, to: id)
      try await memory.append(Step.Draft("step 8"), to: id)
      try await memory.complete(id)
    }
    try await memory.close()
  }

  /// Writes a line for each change, its cursor and what changed, until episode `last` comes. A line is written at once or not
  /// at all, but for one that a kill cut short: so the last whole line is where to go on.
  private static func watch(_ memory: Memory, log path: String) async throws {
    let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
    guard descriptor >= 0 else { throw Failure("cannot open \(path)") }
    let log = FileHandle(fileDescriptor: descriptor)
    let text = String(decoding: try log.readToEnd() ?? Data(), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    try log.truncate(atOffset: UInt64(lines.reduce(0) { $0 + $1.utf8.count + 1 }))
    var cursor = MemoryChange.Cursor.beginning
    if let last = lines.last?.split(separator: " ").first {
      guard let kept = MemoryChange.Cursor(rawValue: String(last)) else { throw Failure("\(last) is no cursor") }
      cursor = kept
      if lines.last?.hasSuffix(" last") == true { return }
    }
    for try await element in memory.changes(after: cursor, in: .everything) {
      guard case .change(let change) = element else { throw Failure("\(element)") }
      let key =
        switch change.subject {
        case .episode(let id), .step(let id, _): id.rawValue
        default: "?"
        }
      try log.write(contentsOf: Data("\(change.cursor.rawValue) \(key)\n".utf8))
      if key == "last" { return try await memory.close() }
    }
  }

  private static func finished(_ id: String, steps: Int) -> Episode {
    let now = Timestamp(Date())
    return Episode(
      id: Episode.ID(id), taskType: .analysis, domain: "crash", context: "imported \(id)", status: .completed,
      successRate: 1, createdAt: now, completedAt: now,
      steps: (1...steps).map {
        Step(id: .generate(at: now), number: $0, action: "imported step \($0)", timestamp: now)
      })
  }

  static func acknowledge(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}

extension Memory.OpenOptions {
  /// A file of 8 MiB, and lifetimes of 20 ms.
  fileprivate mutating func adjustForChurn() {
    durability = .normal
    cache.maximumFileSize = 8 << 20
    for kind in CacheKey.Kind.allCases { cache.lifetimes[kind] = .milliseconds(20) }
  }
}
