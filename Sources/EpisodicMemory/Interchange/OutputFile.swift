import Foundation

/// A file to write, or standard output.
public enum OutputFile: Hashable, Sendable, CustomStringConvertible {
  case file(String)
  case standardOutput

  /// What a command line says: `-` is standard output.
  public init(argument: String) { self = argument == "-" ? .standardOutput : .file(argument) }

  public var description: String {
    switch self {
    case .file(let path): path
    case .standardOutput: "standard output"
    }
  }
}

/// Writes lines. A regular file appears under its name only when it is complete: until then it is a temporary one
/// beside it.
final class LineWriter {
  private static let bufferBytes = 1 << 16

  private let name: String
  private let handle: FileHandle
  private let permissions: mode_t
  private var buffer: [UInt8] = []
  /// Where the lines are until the end, and where they are to be; `nil` where they go straight to their place.
  private var pending: (temporary: String, final: String)?

  /// - Throws: `.invalid` where the file cannot be made there.
  init(_ output: OutputFile) throws(MemoryError) {
    name = output.description
    guard case .file(let path) = output else {
      handle = FileHandle(fileDescriptor: STDOUT_FILENO, closeOnDealloc: false)
      permissions = 0
      return
    }
    var status = stat()
    let exists = stat(path, &status) == 0
    // A device or a pipe is written to; renaming over it would put a file in its place.
    if exists, status.st_mode & S_IFMT != S_IFREG {
      handle = try Self.open(path, O_WRONLY | O_CLOEXEC)
      permissions = 0
      return
    }
    // Behind a symbolic link, the file it leads to is replaced, not the link.
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

  /// Puts the file in its place; what is not finished vanishes.
  func finish() throws(MemoryError) {
    try flush()
    guard let pending else { return }
    let descriptor = handle.fileDescriptor
    if permissions != 0, fchmod(descriptor, permissions) != 0 { throw failure(errno) }
    guard fsync(descriptor) == 0, rename(pending.temporary, pending.final) == 0 else { throw failure(errno) }
    self.pending = nil
  }

  private func flush() throws(MemoryError) {
    if let number = writeAll(buffer, to: handle.fileDescriptor) { throw failure(number) }
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
