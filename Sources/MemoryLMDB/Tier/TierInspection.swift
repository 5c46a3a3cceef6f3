package import FileLocks
import LMDB

/// What can be told of the files of a cache or an index without opening them.
package struct TierInspection: Sendable {
  package struct Reader: Hashable, Sendable {
    package let process: Int32
    /// Whether it keeps pages of a moment from being used again.
    package let isReading: Bool
  }

  /// Bytes of the data file on the disk.
  package var bytes: Int64 = 0
  /// Why the files are removed when they are opened next; `nil` if nothing is known against them.
  package var damage: String?
  /// Why the directory is never used: it is a link, of another user, or holds files of another program.
  package var obstacle: String?
  package var readers: [Reader] = []
  /// The files on which a lock may be held, by name.
  package var locks: [String: FileIdentity] = [:]

  /// Inspects the tier in a directory; `nil` if there is none. Creates, locks and waits for nothing.
  package init?(of directory: String) {
    do throws(LMDBError) {
      guard let place = try PrivateDirectory<LMDBError>(at: directory) else { return nil }
      let names = try place.names()
      for name in names where TierFile.all.contains(name) {
        guard let status = try place.status(of: name) else { continue }
        if status.kind == .symbolicLink { throw LMDBError(.link("\(directory)/\(name)")) }
        locks[name] = status.identity
      }
      if !names.contains(TierFile.epoch), !names.contains(TierFile.users), !names.contains(TierFile.writer),
        let foreign = names.first(where: { !TierLayout.isSubdirectory($0) })
      {
        obstacle = "\(directory) holds \(foreign), which no tier of a store has left there"
        return
      }
      guard let inspection = try Environment.inspect(place) else { return }
      bytes = inspection.bytes
      damage = inspection.damage
      readers = inspection.readers.map { Reader(process: $0.process, isReading: $0.isReading) }
    } catch {
      obstacle = error.message
    }
  }
}
