import CLMDB
package import FileLocks
import LMDBVerifier
import Synchronization

extension Environment {
  /// What can be told of the files of an environment without opening it.
  package struct Inspection: Sendable {
    /// A slot of the reader table.
    package struct Reader: Hashable, Sendable {
      package let process: Int32
      /// Whether it reads now, and so keeps pages of that moment from being used again.
      package let isReading: Bool
    }

    /// Bytes that the data file takes on the disk.
    package var bytes: Int64 = 0
    /// Why LMDB must not map the file; `nil` if nothing is known against it.
    package var damage: String?
    /// By process; none if the table cannot be read.
    package var readers: [Reader] = []
  }

  /// Inspects the files in a directory; `nil` if there is no data file. Nothing is created, locked or waited for.
  ///
  /// Files that this process has open are not opened a second time, which would drop its locks (I5): of those only the size is
  /// examined, and the readers are asked of LMDB.
  package static func inspect(_ directory: PrivateDirectory<LMDBError>) throws(LMDBError) -> Inspection? {
    guard let data = try directory.status(of: EnvironmentDirectory.dataName) else { return nil }
    var inspection = Inspection()
    inspection.bytes = data.bytesOnDisk
    guard data.kind == .regular else {
      inspection.damage = "it is not a regular file"
      return inspection
    }
    // The registry is locked all the while, so that none of its files is opened or closed meanwhile.
    try EnvironmentRegistry.shared.withLock { registry throws(LMDBError) in
      if let readers = registry.readers(of: data.identity) {
        inspection.readers = readers
        return
      }
      do throws(DataFileError) {
        try DataFile(at: directory.path + "/" + EnvironmentDirectory.dataName).checkCompleteness()
      } catch .changing {
        // Others write to it: it is alive.
      } catch {
        inspection.damage = LMDBError(error).message
      }
      guard let file = try directory.openFile(EnvironmentDirectory.lockName) else { return }
      inspection.readers = LockRegion.readers(in: try file.read(LockRegion.largestTable, at: 0))
    }
    return inspection
  }
}

extension EnvironmentRegistry {
  /// The readers of an environment that is open in this process; `nil` if it is not.
  fileprivate func readers(of identity: FileIdentity) -> [Environment.Inspection.Reader]? {
    guard let pointer = pointer(of: identity) else { return nil }
    var text = ""
    _ = withUnsafeMutablePointer(to: &text) { text in
      mdb_reader_list(
        pointer,
        { line, context in
          guard let line else { return 0 }
          context?.assumingMemoryBound(to: String.self).pointee += String(cString: line)
          return 0
        }, text)
    }
    // A heading, then `process thread transaction`, with `-` for a transaction that is not in flight.
    return text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count == 3, let process = Int32(fields[0]) else { return nil }
      return Environment.Inspection.Reader(process: process, isReading: fields[2] != "-")
    }
  }
}
