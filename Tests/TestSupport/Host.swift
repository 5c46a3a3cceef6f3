public import Foundation

/// Features of this machine for tests that need more than the build.
///
/// Used in `.enabled(if:_:)`, so that a run lists the skipped tests with the reason.
public enum Host {
  public static let sqliteShell = "/usr/bin/sqlite3"
  public static let hasSQLiteShell = FileManager.default.isExecutableFile(atPath: sqliteShell)

  public static let isRoot = geteuid() == 0

  /// Whether a program can be run as a user without files.
  public static let canRunAsNobody = isRoot && FileManager.default.isExecutableFile(atPath: "/usr/bin/setpriv")

  /// Whether a small file system can be mounted; some containers refuse that even to root, so it is tried.
  public static let canMount: Bool = {
    guard isRoot, let directory = try? TemporaryDirectory() else { return false }
    let script = "mount -t tmpfs -o size=1m tmpfs '\(directory.path)' && umount '\(directory.path)'"
    return (try? Child(running: "/bin/sh", ["-c", script], in: TemporaryDirectory()).wait()) == 0
  }()

  /// Whether a file system in a file can be mounted.
  public static let canMountImages: Bool = {
    guard isRoot, let directory = try? TemporaryDirectory() else { return false }
    let script = """
      cd '\(directory.path)' && mkdir m && truncate -s 2M i && mkfs.ext4 -q -F -b 1024 i && mount -o loop i m && umount m
      """
    return (try? Child(running: "/bin/sh", ["-c", script], in: TemporaryDirectory()).wait()) == 0
  }()

  /// A file of the development data, which is beside the checkout or absent.
  public static func sharedData(_ name: String) -> URL {
    URL(filePath: #filePath).appending(path: "../../../../shared/data/\(name)").standardized
  }

  /// Whether all of these files of the development data exist.
  public static func hasSharedData(_ names: String...) -> Bool {
    names.allSatisfy { FileManager.default.fileExists(atPath: sharedData($0).path(percentEncoded: false)) }
  }
}
