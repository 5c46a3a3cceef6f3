import Episodic
import Foundation
import TestSupport
import Testing

@Suite struct `Death of a process` {
  /// I2: an acknowledged write survives what its durability promises.
  @Test func `after SIGKILL at 200 random moments every acknowledged episode and step exists and is found`()
    async throws
  {
    let directory = try TemporaryDirectory()
    let store = directory.file("store")
    var generator = SeededGenerator(seed: 20)
    var lines: [String] = []
    for round in 0..<200 {
      let child = try Child("StoreWorker", ["record", store, "k\(round)"], in: directory)
      // A quarter is killed at a random moment while opening the store. The others are killed shortly after a write was
      // seen, so that on any machine kills happen inside writes.
      let leastLines = round.isMultiple(of: 4) ? 0 : Int.random(in: 1...12, using: &generator)
      try await child.waitForLines(leastLines)
      usleep(UInt32.random(in: 0...(leastLines == 0 ? 100_000 : 5_000), using: &generator))
      child.kill()
      lines += try child.lines
    }

    let memory = try await Memory.open(at: store)
    var steps: [Episode.ID: [String]] = [:]
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      let id = Episode.ID(words[1])
      switch words[0] {
      case "episode": #expect(try #require(try await memory.episode(id)).steps.count >= Int(words[2]) ?? 0, "\(line)")
      case "step": steps[id, default: []].append(words[3])
      default: #expect(try #require(try await memory.episode(id)).status == .completed, "\(line)")
      }
    }
    for (id, actions) in steps {
      let episode = try #require(try await memory.episode(id))
      #expect(Array(episode.steps.map(\.action).prefix(actions.count)) == actions)
    }
    let words = steps.values.flatMap(\.self).shuffled(using: &generator).prefix(50)
    for word in words {
      let query = Query(
        text: word, scope: .domain("crash"), filter: .init(statuses: [.active, .completed]), limit: 2)
      #expect(try await memory.recall(query).map { $0.episode.steps.contains { $0.action == word } } == [true])
    }
    try await Store.expectSoundness(of: store)
  }
}

@Suite struct `Several processes` {
  /// Ten minutes with EPISODIC_SOAK_SECONDS=600.
  @Test func `eight processes with lifetimes of milliseconds stay within a file of 8 MiB`() async throws {
    let directory = try TemporaryDirectory()
    let store = directory.file("store")
    let filling = try await Memory.open(at: store)
    let text = String(repeating: "x", count: 8000)
    for part in 0..<20 {
      try await filling.insert(
        (0..<100).map { number in
          let name = "large-\(part * 100 + number)"
          return .sample(Episode.ID(name), domain: "churn", context: text, steps: ["of \(name)"])
        })
    }
    try await filling.close()
    // The workers' cache has another size than that of the filling process.
    try FileManager.default.removeItem(atPath: store + "/cache.lmdb")
    let seconds = ProcessInfo.processInfo.environment["EPISODIC_SOAK_SECONDS"] ?? "5"
    let children = try (0..<8).map { try Child("StoreWorker", ["churn", store, "\($0)", seconds], in: directory) }
    for child in children {
      let status = child.wait()
      // Under load a process may hold the lock, descheduled, for longer than the others wait; they report that.
      let errors = try child.standardError.split(separator: "\n").filter { !$0.contains("locked for long") }
      #expect(status == 0 && errors.isEmpty, "\(errors)")
      print("churn: \(try child.lines.last ?? "")")
    }
    let file = try FileManager.default.attributesOfItem(atPath: store + "/cache.lmdb/data.mdb")
    #expect(try #require(file[.size] as? Int) <= 8 << 20)
    try await Store.expectSoundness(of: store)
  }

  /// I3. A minute with EPISODIC_SOAK_SECONDS=60.
  @Test func `four processes append to and read one store without an error, a lost step or a stale read`() async throws
  {
    let directory = try TemporaryDirectory()
    let store = directory.file("store")
    let seconds = ProcessInfo.processInfo.environment["EPISODIC_SOAK_SECONDS"] ?? "5"
    let children = try ["a", "b", "c", "d"].map { name in
      (name: name, process: try Child("StoreWorker", ["share", store, name, seconds], in: directory))
    }
    let memory = try await Memory.open(at: store)
    for (name, child) in children {
      let status = child.wait()
      let errors = try child.standardError
      #expect(status == 0, "\(name): \(errors)")
      let words = try #require(try child.lines.last).split(separator: " ")
      print("process \(name): \(words.joined(separator: " "))")
      for round in 0..<(Int(words[1]) ?? 0) {
        #expect(try await memory.episode(Episode.ID("\(name)-\(round)"))?.steps.map(\.number) == Array(1...20))
      }
    }
    try await Store.expectSoundness(of: store)
  }
}

extension Store {
  /// The results of `episodic check`.
  static func expectSoundness(of path: String) async throws {
    let memory = try await Memory.open(at: path)
    for check in try await memory.check() { #expect(check.outcome == .passed, "\(check.name)") }
    try await memory.close()
  }
}
