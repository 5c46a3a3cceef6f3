package import GRDB

/// A database that no process has open as a store, such as a backup, on one connection.
package enum StoredDatabaseFile {
  /// Opens it with the settings of every connection.
  ///
  /// - Parameter immutable: Whether it is only read, without a lock and without a file beside it.
  package static func open(_ path: String, immutable: Bool = false) throws -> DatabaseQueue {
    let connector = Connector(
      files: DatabaseFiles(path: path), access: immutable ? .immutable : .readWrite, timeout: .seconds(1))
    return immutable ? try connector.reading() : try connector.writing()
  }

  /// Closes it, without a log beside it.
  package static func close(_ connection: DatabaseQueue) throws { try connection.closeLast() }
}
