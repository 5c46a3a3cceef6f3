package import EpisodicMemory
public import Foundation

#if canImport(System)
  public import System
#else
  public import SystemPackage
#endif

/// A file to write, or standard output. In a path, `~` and `~/...` are in the home directory.
public enum OutputFile: Hashable, Sendable, CustomStringConvertible {
  /// A file by its path; it is complete or not there.
  case file(String)
  /// Standard output.
  case standardOutput

  /// From a command-line argument: `-` is standard output.
  public init(argument: String) { self = argument == "-" ? .standardOutput : .file(argument) }

  /// A file URL; a URL of anything else is taken for the name of a file.
  public init(_ url: URL) { self = .file(url.isFileURL ? url.path(percentEncoded: false) : url.absoluteString) }

  /// A file to write by its path.
  public init(_ path: FilePath) { self = .file(path.string) }

  public var description: String {
    switch self {
    case .file(let path): path
    case .standardOutput: "standard output"
    }
  }
}

extension OutputFile {
  /// Writes a whole text; a file is complete or not there.
  package func write(_ text: String) throws(MemoryError) {
    let writer = try LineWriter(self)
    try writer.write(text.last == "\n" ? String(text.dropLast()) : text)
    try writer.finish()
  }
}

/// Writes lines. A regular file is written to a temporary file beside it and renamed when it is complete.
final class LineWriter {
  private static let bufferBytes = 1 << 16

  private let name: String
  private let handle: FileHandle
  private let permissions: mode_t
  private var buffer: [UInt8] = []
  /// The temporary file and the name it gets at the end; `nil` for output that is written in place.
  private var pending: (temporary: String, final: String)?

  /// - Throws: `.invalid` if the file cannot be created.
  init(_ output: OutputFile) throws(MemoryError) {
    name = output.description
    guard case .file(let given) = output else {
      handle = FileHandle(fileDescriptor: STDOUT_FILENO, closeOnDealloc: false)
      permissions = 0
      return
    }
    let path = try PathText.expanded(given, of: "a file to write")
    var status = stat()
    let exists = stat(path, &status) == 0
    // A device or a pipe is written in place: renaming would replace it by a regular file.
    if exists, status.st_mode & S_IFMT != S_IFREG {
      handle = try Self.open(path, O_WRONLY | O_CLOEXEC)
      permissions = 0
      return
    }
    // Replaces the target of a symbolic link, not the link.
    let final = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let temporary = "\(final).\(UUID().uuidString.prefix(8)).tmp"
    handle = try Self.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
    permissions = exists ? status.st_mode & 0o7777 : 0
    pending = (temporary, final)
  }

  deinit {
    if let pending { unlink(pending.temporary) }
  }

  func write(_ line: String) throws(MemoryError) {
    buffer.append(contentsOf: line.utf8)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Completes the file; without this call the temporary file is removed.
  func finish() throws(MemoryError) {
    try flush()
    guard let pending else { return }
    let descriptor = handle.fileDescriptor
    if permissions != 0, fchmod(descriptor, permissions) != 0 { throw failure(errno) }
    guard fsync(descriptor) == 0, rename(pending.temporary, pending.final) == 0 else { throw failure(errno) }
    self.pending = nil
  }

  private func flush() throws(MemoryError) {
    let descriptor = handle.fileDescriptor
    let number: Int32? = buffer.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let written = Foundation.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
        if written >= 0 {
          done += written
        } else if errno != EINTR {
          return errno
        }
      }
      return nil
    }
    if let number { throw failure(number) }
    buffer.removeAll(keepingCapacity: true)
  }

  private func failure(_ number: Int32) -> MemoryError {
    let kept = pending == nil ? "what was written is not complete" : "nothing of it was kept"
    return MemoryError(.unavailable, "cannot write \(name): \(systemMessage(number)); \(kept)")
  }

  private static func open(_ path: String, _ flags: Int32) throws(MemoryError) -> FileHandle {
    let descriptor = Foundation.open(path, flags, 0o666)
    guard descriptor >= 0 else { throw .cannot("write", path, errno, "choose another place") }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }
}
