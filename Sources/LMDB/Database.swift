/// A named key-value map inside an environment, sorted by key.
///
/// Cheap to copy and keep; it stays good as long as its environment is open.
public struct Database: Hashable, Sendable {
  public let name: String
  public let keys: KeyKind

  /// LMDB's number for it.
  let handle: UInt32
  /// The environment it belongs to: LMDB would take another one's number without noticing.
  let environmentSerial: UInt64

  /// How keys look and sort.
  public enum KeyKind: Hashable, Sendable {
    /// 1...511 bytes, in lexicographic order, a prefix first.
    case bytes
    /// `UInt64` in native byte order, sorted as numbers.
    case integers
  }
}
