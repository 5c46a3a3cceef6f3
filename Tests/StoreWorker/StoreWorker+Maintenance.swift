import Episodic
import Foundation

extension StoreWorker {
  /// Records old episodes and maintains the store, all tasks each time, until it is killed.
  static func maintain(_ memory: Memory, name: String) async throws {
    try await memory.setRetention(
      RetentionPolicy(
        archiveAfter: .seconds(3600), deleteArchivedAfter: .seconds(7200), maximumEpisodes: 120), for: nil)
    for round in 0... {
      let now = Timestamp(Date())
      try await memory.insert(
        (0..<30).map { number in
          // Every tenth has so many steps that it is deleted in parts.
          let steps = number.isMultiple(of: 10) ? 900 : number
          let end = Timestamp(milliseconds: now.milliseconds - Int64(number) * 300_000)
          return Episode(
            id: Episode.ID("\(name)-\(round)-\(number)"), taskType: .testing, domain: "d\(number % 2)",
            context: "has \(steps) steps", status: .completed, createdAt: end, completedAt: end,
            steps: (0..<steps).map {
              Step(id: .generate(at: now), number: $0 + 1, action: "step \($0) of \(name)", timestamp: end)
            })
        })
      acknowledge("inserted \(round)")
      let report = try await memory.maintain(.init(isFull: true)) { progress in
        acknowledge("at \(progress.task.rawValue)")
      }
      for task in report.tasks where task.outcome == .failed { throw Failure("\(task)") }
    }
  }

  /// Takes the lease of maintenance, prints its process, and keeps it until it is killed.
  static func holdMaintenance(_ memory: Memory) async throws {
    try await memory.maintain(.init(tasks: [.feed])) { _ in
      acknowledge("held \(getpid())")
      while true { sleep(60) }
    }
  }
}
