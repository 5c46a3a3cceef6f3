import Episodic

extension InputObject {
  /// Reads one from standard input.
  init(_ form: String) throws(MemoryError) { try self.init(try StandardInput.json(), as: form) }
}
