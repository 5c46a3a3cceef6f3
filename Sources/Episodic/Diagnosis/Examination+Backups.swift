import EpisodicMemory
import FileLocks

/// The folder `backups` of the store.
extension Examination {
  func examineBackups() {
    let folder = directory.backups
    guard let status = status(of: folder), status.kind == .directory else {
      return saw("backups", "none in the store's folder")
    }
    let names = names(in: folder)
    examineLeftovers(in: folder)
    let now = options.clock.now()
    var newest: Int64?
    var count = 0
    for name in names {
      let path = folder + "/" + name
      guard let file = self.status(of: path), file.kind == .regular else { continue }
      examineRights(of: path, file)
      if name.contains(DraftFile.suffix) { continue }
      guard name.hasSuffix(".sqlite") || name.hasSuffix(".sqlite.gz") else {
        // A manifest without its backup.
        let stem = name.dropLast(".json".count)
        if name.hasSuffix(".json"), ["memory-", "replaced-", "before-schema-"].contains(where: name.hasPrefix),
          !names.contains("\(stem).sqlite"), !names.contains("\(stem).sqlite.gz")
        {
          found(.backupIncomplete, path, "it is the manifest of a backup that is not there")
        }
        continue
      }
      guard name.hasPrefix("memory-") else { continue }
      count += 1
      newest = max(newest ?? .min, file.modified / 1_000_000)
      examineManifest(of: name, file, in: folder, names)
    }
    saw(
      "backups", newest.map { "\(count), the newest of \(Timestamp(milliseconds: $0))" } ?? "none in the store's folder"
    )
    if count >= options.limits.backupsWarningCount {
      found(
        .backupsMany, folder,
        "there are \(count) backups, and limits.backupsWarningCount is \(options.limits.backupsWarningCount)")
    }
    if let newest, isOld(Timestamp(milliseconds: newest), at: now) {
      found(.backupOld, folder, "the newest backup is of \(Timestamp(milliseconds: newest))")
    }
  }

  private func examineManifest(of name: String, _ file: FileStatus, in folder: String, _ names: [String]) {
    let path = folder + "/" + name
    let stem = String(name.prefix(name.count - (name.hasSuffix(".gz") ? ".sqlite.gz".count : ".sqlite".count)))
    let manifest = "\(stem).json"
    guard names.contains(manifest) else {
      return found(
        .backupIncomplete, path, "it has no manifest beside it, so a changed byte in it would not be noticed")
    }
    let fault: String?
    do {
      let value = try JSON(text: Self.text(of: folder + "/" + manifest))
      if case .integer(let bytes)? = value["file_bytes"], bytes != file.size {
        fault = "it has \(file.size) bytes, and its manifest says \(bytes)"
      } else {
        fault = nil
      }
    } catch {
      fault = "its manifest \(manifest) cannot be read: \(error)"
    }
    if let fault { found(.backupIncomplete, path, fault) }
  }

  private static func text(of path: String) throws(FileError) -> String {
    guard let file = try OpenFile<FileError>.open(path) else { return "" }
    return String(decoding: try file.read(1 << 20, at: 0), as: UTF8.self)
  }
}
