import CFileLocks

/// Renames that replace no file.
package enum FileRename {
  /// - Throws: `FileError` with `EEXIST` if there is a file of the new name.
  package static func exclusive(_ path: String, to name: String) throws(FileError) {
    let code = episodic_rename_exclusive(path, name)
    guard code == 0 else { throw FileError(errno: code, "name", name) }
  }

  /// Exchanges the names of two files in one step: at no moment is one of the names missing.
  ///
  /// - Throws: `FileError` with `EINVAL` or `ENOTSUP` if the file system cannot.
  package static func exchange(_ first: String, _ second: String) throws(FileError) {
    let code = episodic_rename_exchange(first, second)
    guard code == 0 else { throw FileError(errno: code, "exchange \(first) with", second) }
  }
}
