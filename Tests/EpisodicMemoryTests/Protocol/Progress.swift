extension Simulator {
  /// Where an actor stands: the step it takes next, and what it remembers until then.
  struct Progress: Hashable {
    /// One access to what others share; the letters are those of DESIGN.md's read, catch-up, load and fill.
    enum Step: UInt8 {
      /// R1, the header; or a commit.
      case begin
      /// Only without `headerAndEntryAreOfOneSnapshot`.
      case lookUpEarly
      /// R2, a snapshot of the cache.
      case lookUp
      /// C1, a snapshot of the cache.
      case readWatermark
      /// C2, a snapshot of the primary.
      case readFeed
      /// Only without `headerIsReadBeforeFeed`.
      case readHeaderLate
      /// C3, a transaction of the cache.
      case apply
      /// Only without `dropAndWatermarkAreOneTransaction`.
      case dropLate
      /// L1, a snapshot of the primary.
      case load
      /// L1 of a read that has given up on the cache.
      case loadPlainly
      /// F1, a transaction of the cache.
      case fill
      /// For the load of another read of this process.
      case wait
      /// It has finished, or was killed.
      case done
    }

    var step = Step.begin
    var operation: UInt8 = 0
    /// The last revision when the read began, which its answer must not be older than.
    var began: UInt8 = 0
    /// In the place of a revision that a restored backup has taken back; the read may answer from before or after.
    static let beforeRestore = UInt8.max
    var isUnderWay = false
    var header: UInt8 = 0
    /// Times it began to catch up.
    var tries: UInt8 = 0

    /// What a batch of changes says; the changes themselves are the history's.
    var asked = Watermark.none
    var end = Watermark.none
    var continues = false
    var isComplete = false

    /// What was loaded, or looked up early.
    var answer = Answer()
    var asOf = Watermark.none
    /// The actor whose load is waited for.
    var leader: UInt8 = 0

    static let finished: Progress = {
      var progress = Progress()
      progress.step = .done
      return progress
    }()

    mutating func forgetBatch() {
      (asked, end, continues, isComplete) = (.none, .none, false, false)
    }

    /// Forgets everything but which operation comes next.
    mutating func finishOperation(of program: [Actor.Operation]) {
      let next = operation + 1
      self = Int(next) < program.count ? Progress() : .finished
      if step != .done { operation = next }
    }
  }
}
