import EpisodicMemory
import FileLocks
import Foundation

/// The manifest as a file: JSON beside the backup, under its name with `.json` in place of `.sqlite` and `.gz`.
extension BackupManifest {
  /// Larger than any manifest: a file that is none is not read whole.
  private static let maximumBytes = 1 << 20

  static func path(beside backup: String) -> String { BackupName.stem(of: backup) + ".json" }

  /// `nil` if there is none, or a file that is none of this form.
  static func beside(_ backup: String) -> BackupManifest? {
    // Whatever the reason, without a manifest the backup stands for itself.
    guard let file = try? OpenFile<FileError>.reading(path(beside: backup)),
      let bytes = try? file.read(maximumBytes, at: 0),
      let manifest = try? JSONDecoder().decode(BackupManifest.self, from: Data(bytes)), manifest.format == 1
    else { return nil }
    return manifest
  }

  /// Makes the file, durably; none of its name may be there.
  func write(beside backup: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let bytes = [UInt8](try encoder.encode(self)) + Array("\n".utf8)
    let draft = try DraftFile(of: Self.path(beside: backup))
    try draft.file().replaceContent(with: bytes)
    try draft.publish()
  }

  /// - Throws: `FileError` with `EEXIST` if a file has the name that the manifest is to get.
  static func requireNone(beside backup: String) throws(FileError) { try DraftFile.requireFree(path(beside: backup)) }

  /// Takes back what was written for a backup that did not get its name.
  static func remove(beside backup: String) { unlink(path(beside: backup)) }
}
