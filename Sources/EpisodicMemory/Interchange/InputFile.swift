import Foundation

/// A file to read, or standard input.
public enum InputFile: Hashable, Sendable, CustomStringConvertible {
  case file(String)
  case standardInput

  /// What a command line says: `-` is standard input.
  public init(argument: String) { self = argument == "-" ? .standardInput : .file(argument) }

  public var description: String {
    switch self {
    case .file(let path): path
    case .standardInput: "standard input"
    }
  }
}

/// A file that has been opened and can be read from its beginning as often as is wanted.
///
/// What cannot be read twice, a pipe, is first copied into a temporary file that has no name any more, so that it goes
/// with the process however that ends.
final class OpenInput: Sendable {
  let name: String
  /// Bytes.
  let size: Int64
  private let handle: FileHandle

  /// - Throws: `.invalid` where there is no such file or it may not be read; `.unavailable` where copying it fails.
  init(_ file: InputFile) throws(MemoryError) {
    name = file.description
    let opened: FileHandle
    switch file {
    case .standardInput: opened = FileHandle(fileDescriptor: STDIN_FILENO, closeOnDealloc: false)
    case .file(let path):
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        throw MemoryError(.invalid, "cannot read \(path): \(systemMessage(errno)); check the path")
      }
      opened = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
    var status = stat()
    guard fstat(opened.fileDescriptor, &status) == 0 else {
      throw MemoryError(.unavailable, "cannot read \(name): \(systemMessage(errno))")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      handle = opened
      size = Int64(status.st_size)
    case S_IFDIR: throw MemoryError(.invalid, "\(name) is a directory; name a file in it")
    default: (handle, size) = try Self.spool(opened, name)
    }
  }

  /// Reads at most `count` bytes at `offset` into `buffer`.
  ///
  /// - Returns: How many there were; fewer than asked for only at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(MemoryError) -> Int {
    var done = 0
    while done < buffer.count {
      let got = pread(
        handle.fileDescriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, off_t(offset) + off_t(done))
      if got == 0 { break }
      if got > 0 {
        done += got
      } else if errno != EINTR {
        throw MemoryError(.unavailable, "cannot read \(name): \(systemMessage(errno))")
      }
    }
    return done
  }

  private static func spool(_ input: FileHandle, _ name: String) throws(MemoryError) -> (FileHandle, Int64) {
    let directory = FileManager.default.temporaryDirectory.path
    var template = Array("\(directory)/episodic-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw MemoryError(.unavailable, "cannot copy \(name) to \(directory): \(systemMessage(errno)); set TMPDIR")
    }
    let spool = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    unlink(template)
    var size: Int64 = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let got = Foundation.read(input.fileDescriptor, &buffer, buffer.count)
      if got == 0 { return (spool, size) }
      if got < 0 {
        if errno == EINTR { continue }
        throw MemoryError(.unavailable, "cannot read \(name): \(systemMessage(errno))")
      }
      guard let failure = writeAll(buffer[..<got], to: descriptor) else {
        size += Int64(got)
        continue
      }
      throw MemoryError(
        .unavailable, "cannot copy \(name) to \(directory): \(systemMessage(failure)); free some space or set TMPDIR")
    }
  }
}

/// Writes all the bytes; returns the number of the error that kept it from doing so.
func writeAll(_ bytes: some Sequence<UInt8>, to descriptor: Int32) -> Int32? {
  ContiguousArray(bytes).withUnsafeBytes { bytes in
    var done = 0
    while done < bytes.count {
      let written = write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
      if written >= 0 {
        done += written
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
  }
}

/// What the system calls an error.
func systemMessage(_ number: Int32) -> String { String(cString: strerror(number)) }
