import Foundation

/// The domain that an agent's work in a directory belongs to, if none is named.
package enum ProjectDomain {
  /// Directories that are looked through for `.git`.
  private static let maximumDepth = 64

  /// The name of the nearest directory at or above it that is the root of a git repository, else its own name.
  package static func name(at directory: String) -> String {
    let path = URL(filePath: directory).standardizedFileURL
    var root = path
    for _ in 0..<maximumDepth where root.path(percentEncoded: false) != "/" {
      // A directory, or in a worktree a file.
      if access(root.appending(path: ".git").path(percentEncoded: false), F_OK) == 0 { return name(of: root) }
      root.deleteLastPathComponent()
    }
    return name(of: path)
  }

  private static func name(of directory: URL) -> String {
    let name = directory.lastPathComponent
    return name.isEmpty || name == "/" ? "root" : name
  }
}
