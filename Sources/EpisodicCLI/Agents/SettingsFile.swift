import Episodic
import Foundation

/// A settings file on the disk, with the record of what an installation added.
///
/// Beside `settings.json` stand, while something is installed, `settings.json.before-episodic`, the file as it was, and
/// `settings.json.episodic`, what was inserted.
struct SettingsFile {
  /// Larger files are no settings.
  private static let maximumBytes = 32 << 20

  /// As it is named; may be a symbolic link.
  let path: String
  /// The file itself.
  private let target: String

  init(_ path: String) {
    self.path = path
    target = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
  }

  private var backup: String { target + ".before-episodic" }
  private var record: String { target + ".episodic" }

  /// Whether something was added. An installation that was killed before it wrote the file has added nothing.
  var isInstalled: Bool {
    get throws(MemoryError) {
      guard access(record, F_OK) == 0 else { return false }
      return try Self.read(target) != Self.read(backup)
    }
  }

  /// The text; empty if there is no file.
  ///
  /// - Throws: `.invalid` if it is too long or no text; `.unavailable` if it cannot be read.
  func read() throws(MemoryError) -> String { try Self.read(target) ?? "" }

  private var exists: Bool { access(target, F_OK) == 0 }

  private static func read(_ path: String) throws(MemoryError) -> String? {
    guard access(path, F_OK) == 0 else { return nil }
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw MemoryError(.unavailable, "cannot read \(path): \(error.localizedDescription); nothing was changed")
    }
    guard data.count <= maximumBytes, let text = String(validating: data, as: UTF8.self) else {
      throw MemoryError(.invalid, "\(path) is longer than \(maximumBytes >> 20) MiB or not UTF-8; nothing was changed")
    }
    return text
  }

  /// - Throws: `.readOnly` if the file may not be changed: a file that is replaced would lose that.
  func requireWritable() throws(MemoryError) {
    guard !exists || access(target, W_OK) == 0 else {
      throw MemoryError(.readOnly, "\(path) may not be written; change its mode, nothing was changed")
    }
  }

  /// Writes the changed text, after a backup of the one before and a record of what is new.
  func install(_ text: String, inserted: [String], _ commands: AgentCommands) throws(MemoryError) {
    let before = try Self.read(target)
    if let before { try write(before, to: backup) }
    let record: JSON = [
      "inserted": .array(inserted.map { .string($0) }), "existed": .bool(before != nil),
      "written": .string(JSON.string(text).canonicalHash),
      "server": .array(commands.server.map { .string($0) }), "hook": .string(commands.hook),
    ]
    try write(record.canonicalText + "\n", to: self.record)
    try write(text, to: target)
  }

  /// What an undo makes of the text: the text, or `nil` for no file.
  ///
  /// - Throws: `.conflict` if what was inserted was changed since.
  func undone(_ settings: AgentSettings) throws(MemoryError) -> String? {
    let record: JSON
    do throws(MemoryError) {
      record = try JSON(text: (try Self.read(self.record) ?? "").trimmingCharacters(in: .whitespacesAndNewlines))
    } catch {
      throw error.naming(place: self.record)
    }
    guard case .array(let values)? = record["inserted"] else {
      throw MemoryError(.invalid, "\(self.record) is no record of an installation; restore \(backup) by hand")
    }
    let written = try read()
    let isOwn = record["existed"] == false
    guard !written.isEmpty else { return nil }
    // Nobody has changed the file since: it becomes what it was, to the last byte.
    if record["written"] == .string(JSON.string(written).canonicalHash) {
      if isOwn { return nil }
      if let before = try Self.read(backup) { return before }
    }
    let pieces = values.compactMap { if case .string(let piece) = $0 { piece } else { nil } }
    var text = Self.removing(pieces, from: written)
    // A comma is left over where somebody has added a member beside ours.
    if let left = text, Self.isJSON(written), !Self.isJSON(left), !left.filter({ !$0.isWhitespace }).isEmpty {
      text = nil
    }
    if text == nil {
      text = try settings.removing(record, from: written)
      if let left = text, Self.isJSON(written), !Self.isJSON(left) { text = nil }
    }
    guard let text else { throw changed }
    return isOwn && ["", "{}"].contains(text.filter { !$0.isWhitespace }) ? nil : text
  }

  private static func removing(_ pieces: [String], from text: String) -> String? {
    var text = text
    // The last one first: a later piece may lie within an earlier one.
    for piece in pieces.reversed() {
      guard let place = text.range(of: piece, options: [.backwards, .literal]) else { return nil }
      text.removeSubrange(place)
    }
    return text
  }

  private var changed: MemoryError {
    MemoryError(
      .conflict, "what was added to \(path) was changed since; remove it by hand, the file as it was is \(backup)")
  }

  private static func isJSON(_ text: String) -> Bool {
    do throws(MemoryError) {
      _ = try JSON(text: text.trimmingCharacters(in: .whitespacesAndNewlines))
      return true
    } catch {
      return false
    }
  }

  func undo(_ text: String?) throws(MemoryError) {
    if let text {
      try write(text, to: target)
    } else if exists, unlink(target) != 0 {
      throw MemoryError(.unavailable, "cannot remove \(path): \(String(cString: strerror(errno))); remove it by hand")
    }
    for file in [backup, record] where access(file, F_OK) == 0 && unlink(file) != 0 {
      throw MemoryError(.unavailable, "cannot remove \(file): \(String(cString: strerror(errno))); remove it by hand")
    }
  }

  /// Replaces a file at once, with the mode that it had.
  private func write(_ text: String, to path: String) throws(MemoryError) {
    func failure(_ verb: String) -> MemoryError {
      MemoryError(.unavailable, "cannot \(verb) \(path): \(String(cString: strerror(errno))); name another folder")
    }
    do {
      try FileManager.default.createDirectory(
        at: URL(filePath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw MemoryError(.unavailable, "cannot make the folder of \(path): \(error.localizedDescription)")
    }
    var status = stat()
    let mode = stat(target, &status) == 0 ? status.st_mode & 0o777 : 0o600
    let temporary = path + ".partial-\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failure("write") }
    var isWritten =
      writeBytes(Array(text.utf8), to: descriptor) && fchmod(descriptor, mode) == 0 && fsync(descriptor) == 0
    close(descriptor)
    isWritten = isWritten && rename(temporary, path) == 0
    guard isWritten else {
      let error = failure("write")
      unlink(temporary)
      throw error
    }
  }
}

/// The lines that differ, with those around them.
enum LineDifference {
  private static let around = 2

  static func text(_ path: String, _ before: String, _ after: String) -> String {
    let (old, new) = (
      before.split(separator: "\n", omittingEmptySubsequences: false),
      after.split(separator: "\n", omittingEmptySubsequences: false)
    )
    let changes = new.difference(from: old)
    var removed: Set<Int> = []
    var added: Set<Int> = []
    for change in changes {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): added.insert(offset)
      }
    }
    var lines: [(text: String, isChange: Bool)] = []
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      if i < old.count, removed.contains(i) {
        lines.append(("-" + old[i], true))
        i += 1
      } else if j < new.count, added.contains(j) {
        lines.append(("+" + new[j], true))
        j += 1
      } else {
        if j < new.count { lines.append((" " + new[j], false)) }
        i += 1
        j += 1
      }
    }
    let shown = lines.indices.filter { index in
      lines[max(0, index - around)...min(lines.count - 1, index + around)].contains(where: \.isChange)
    }
    var output = ["--- \(path)", "+++ \(path)"]
    var last: Int?
    for index in shown {
      if let last, index > last + 1 { output.append("…") }
      output.append(lines[index].text)
      last = index
    }
    return output.map(\.terminalSafe).joined(separator: "\n")
  }
}
