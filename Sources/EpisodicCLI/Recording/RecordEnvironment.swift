import Episodic
import Foundation

/// Where a command ran, for the metadata of its episode.
struct RecordEnvironment {
  /// Member of the metadata that `record` writes; others are left as they are.
  static let member = "record"
  /// Files of git that are longer are not read.
  private static let maximumBytes = 4 << 20
  /// Directories that are looked through for `.git`.
  private static let maximumDepth = 64

  let directory: String
  let host: String
  /// The commit that is checked out; `nil` outside a repository.
  let commit: String?

  /// Of this process. Reads a few small files; runs nothing.
  init() {
    directory = FileManager.default.currentDirectoryPath
    host = Self.hostName
    commit = Self.commit(above: directory)
  }

  init(directory: String, host: String, commit: String?) {
    (self.directory, self.host, self.commit) = (directory, host, commit)
  }

  /// Whether the member is free, or of an earlier command: what somebody else wrote under its name stays.
  static func maySet(_ metadata: JSON.Object) -> Bool {
    guard let earlier = metadata[member] else { return true }
    return earlier["exit_status"] != nil
  }

  /// As the system has it; nothing is looked up in a network.
  private static var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Of the last command of an episode.
  ///
  /// - Parameter redact: Applied to the texts.
  func json(exitStatus: Int32, redact: (String) -> String) -> JSON {
    var members: JSON.Object = [
      "exit_status": .integer(Int64(exitStatus)), "working_directory": .string(redact(directory)),
      "host": .string(redact(host)),
    ]
    if let commit { members["git_commit"] = .string(commit) }
    return .object(members)
  }

  // MARK: Git

  /// The commit of the repository that a directory is in.
  static func commit(above directory: String) -> String? {
    var path = directory
    for _ in 0..<maximumDepth {
      if let folder = gitFolder(in: path) { return commit(in: folder) }
      guard path != "/", let slash = path.lastIndex(of: "/") else { return nil }
      path = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    return nil
  }

  /// `.git` itself, or the folder that a file `.git` of a further working tree or a submodule names.
  private static func gitFolder(in directory: String) -> String? {
    let path = directory + "/.git"
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return nil }
    if isDirectory.boolValue { return path }
    guard let line = text(path), line.hasPrefix("gitdir: ") else { return nil }
    return absolute(String(line.dropFirst("gitdir: ".count)), in: directory)
  }

  private static func absolute(_ path: String, in directory: String) -> String {
    path.hasPrefix("/") ? path : directory + "/" + path
  }

  private static func commit(in folder: String) -> String? {
    guard let head = text(folder + "/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return isCommit(head) ? head : nil }
    let name = String(head.dropFirst("ref: ".count))
    guard name.hasPrefix("refs/"), !name.contains("..") else { return nil }
    // A further working tree keeps its branches in the folder of the first.
    let common = text(folder + "/commondir").map { absolute($0, in: folder) } ?? folder
    for place in [folder, common] {
      if let commit = text("\(place)/\(name)"), isCommit(commit) { return commit }
    }
    let packed = text(common + "/packed-refs") ?? ""
    let line = packed.split(separator: "\n").first { $0.hasSuffix(" \(name)") }
    return line.flatMap { $0.split(separator: " ").first }.map(String.init).flatMap { isCommit($0) ? $0 : nil }
  }

  private static func isCommit(_ text: String) -> Bool {
    (text.count == 40 || text.count == 64) && text.utf8.allSatisfy { $0.isHexadecimal }
  }

  /// A short text file without the white space around it; `nil` if it cannot be read: then there is nothing to say.
  private static func text(_ path: String) -> String? {
    guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int, size <= maximumBytes,
      let text = try? String(contentsOfFile: path, encoding: .utf8)
    else { return nil }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension UInt8 {
  fileprivate var isHexadecimal: Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
  }
}
