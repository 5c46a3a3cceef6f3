import ByteCoding
import LMDB

extension Seal {
  /// Decodes a sealed record with `read`, which must consume all of it.
  ///
  /// - Parameter what: What the error names: "progress".
  /// - Throws: `.damaged` if the seal is broken or the content is not what `read` expects.
  func decode<Value>(
    _ record: RawSpan, _ what: StaticString, _ read: (inout ByteReader) throws(MalformedBytes) -> Value
  ) throws(LMDBError) -> Value {
    do throws(MalformedBytes) {
      return try decode(record, read)
    } catch {
      throw LMDBError(.damaged, message: "the record of the \(what) is damaged")
    }
  }
}
