/// The cache protocol as a model small enough to try every schedule of it.
///
/// A namespace, since the model gives the engine's words (`Watermark`, `Entry`) to simpler things. What it keeps from
/// the engine is what runs as a whole: a commit of the primary, a snapshot of the primary, a snapshot of the cache and
/// a write transaction of the cache are one step each; between any two steps everybody else may run, or die.
enum Simulator {
  /// What a read asks for: one of two keys, or a query that depends on the domain of both.
  enum Subject: UInt8 {
    case a, b, both
  }

  /// What a read returns; a key that was not asked for counts as 0.
  struct Answer: Hashable {
    var a: UInt8 = 0
    var b: UInt8 = 0
  }

  /// `EpisodicMemory.Watermark`: a place in the primary's history.
  struct Watermark: Hashable {
    var revision: UInt8
    var nonce: UInt8

    static let beginning = Watermark(revision: 0, nonce: 0)
    static let none = Watermark(revision: .max, nonce: .max)
  }

  /// How a schedule breaks I3.
  enum Violation: UInt8 {
    case staleAnswer, newerEntryOverwritten
  }
}
