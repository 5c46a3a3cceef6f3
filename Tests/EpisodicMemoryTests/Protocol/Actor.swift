extension Simulator {
  /// Somebody who runs a program, one step at a time.
  struct Actor {
    enum Operation {
      case read(Subject)
      /// A commit to a key; the feed and the header move with it.
      case commit(Subject)
      /// What a writer does after its commit, for speed.
      case catchUp
      /// Everything in the cache is gone.
      case lose
      /// A backup of some revision, over a store that is in use; it is one commit, and the header moves.
      case restore(UInt8)
    }

    let name: String
    /// Actors of one process share what it has verified and the loads under way, and are killed together.
    let process: Int
    let program: [Operation]
    /// 0 for those who come before everything is closed once, 1 for those who come after.
    let life: UInt8

    static func reader(_ name: String, in process: Int, of subjects: Subject..., life: UInt8 = 0) -> Actor {
      Actor(name: name, process: process, program: subjects.map(Operation.read), life: life)
    }

    static func writer(
      _ name: String, in process: Int, of keys: Subject..., catchingUp: Bool = false, life: UInt8 = 0
    ) -> Actor {
      let commits = keys.map(Operation.commit)
      return Actor(name: name, process: process, program: commits + (catchingUp ? [.catchUp] : []), life: life)
    }

    /// Writes past the cache and has never heard of it. Killing it between commits is what not running it further is.
    static func shell(committing keys: Subject..., life: UInt8 = 0) -> Actor {
      Actor(name: "shell", process: -1, program: keys.map(Operation.commit), life: life)
    }

    /// Empties the cache's files while they are in use.
    static func mishap(_ name: String) -> Actor { Actor(name: name, process: -1, program: [.lose], life: 0) }

    /// Restores a backup between two commits.
    static func shell(committing first: Subject, restoring revision: UInt8, committing others: Subject...) -> Actor {
      let program = [.commit(first), .restore(revision)] + others.map(Operation.commit)
      return Actor(name: "shell", process: -1, program: program, life: 0)
    }
  }
}
