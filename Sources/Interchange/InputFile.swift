package import EpisodicMemory
public import Foundation

#if canImport(System)
  public import System
#else
  public import SystemPackage
#endif

/// A file to read, or standard input. In a path, `~` and `~/...` are in the home directory.
public enum InputFile: Hashable, Sendable, CustomStringConvertible {
  /// A file by its path.
  case file(String)
  /// Standard input.
  case standardInput

  /// From a command-line argument: `-` is standard input.
  public init(argument: String) { self = argument == "-" ? .standardInput : .file(argument) }

  /// A file URL; a URL of anything else is taken for the name of a file.
  public init(_ url: URL) { self = .file(url.isFileURL ? url.path(percentEncoded: false) : url.absoluteString) }

  /// A file to read by its path.
  public init(_ path: FilePath) { self = .file(path.string) }

  public var description: String {
    switch self {
    case .file(let path): path
    case .standardInput: "standard input"
    }
  }
}

/// An open file that can be read any number of times; a pipe is copied for that.
package final class OpenInput: Sendable {
  package let name: String
  /// The file, or the copy of a pipe.
  private let handle: FileHandle
  /// `nil` for a regular file.
  private let pipe: PipeCopy?
  /// Size of a regular file when it was opened.
  private let fileSize: Int64

  /// - Throws: `.invalid` if there is no such file or reading it is not permitted; `.unavailable` if the process has no
  ///   descriptor left, or a pipe cannot be copied.
  package init(_ file: InputFile) throws(MemoryError) {
    name = file.description
    let opened: FileHandle
    switch file {
    case .standardInput: opened = FileHandle(fileDescriptor: STDIN_FILENO, closeOnDealloc: false)
    case .file(let given):
      let path = try PathText.expanded(given, of: "a file to read")
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw .cannot("read", path, errno, "check the path") }
      opened = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
    var status = stat()
    guard fstat(opened.fileDescriptor, &status) == 0 else {
      throw MemoryError(.unavailable, "cannot read \(name): \(systemMessage(errno))")
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      handle = opened
      pipe = nil
      fileSize = Int64(status.st_size)
    case S_IFDIR: throw MemoryError(.invalid, "\(name) is a directory; name a file in it")
    default:
      let copy = try PipeCopy(of: opened, name: name)
      handle = copy.handle
      pipe = copy
      fileSize = 0
    }
  }

  /// In bytes; `nil` until a pipe has ended.
  var size: Int64? { pipe == nil ? fileSize : pipe?.size }

  /// In bytes; of a pipe, at most `bound` are read.
  func size(upTo bound: Int64) throws(MemoryError) -> Int64 {
    guard let pipe else { return fileSize }
    return try pipe.extend(to: bound)
  }

  /// Reads at most `count` bytes at `offset` into `buffer`.
  ///
  /// - Returns: The number of bytes; fewer than requested only at the end.
  package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(MemoryError) -> Int {
    if let pipe { _ = try pipe.extend(to: offset + Int64(buffer.count)) }
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

  /// Skips the rest of a line without storing it, neither in memory nor, for a pipe, on disk.
  ///
  /// - Returns: The offset of the next line, or of the end of the file.
  func endOfLine(from offset: Int64) throws(MemoryError) -> Int64 {
    var offset = offset
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      if let pipe, let size = pipe.sizeSoFar, offset >= size { return try pipe.skipLine() }
      let wanted = pipe.flatMap(\.sizeSoFar).map { Int(min(Int64(chunk.count), $0 - offset)) } ?? chunk.count
      let input = self
      let read: Result<Int, MemoryError> = chunk.withUnsafeMutableBytes { bytes in
        Result { () throws(MemoryError) in
          try input.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<wanted]), at: offset)
        }
      }
      let count = try read.get()
      guard count > 0 else { return offset }
      if let end = chunk.firstNewline(in: 0..<count) { return offset + Int64(end) + 1 }
      offset += Int64(count)
    }
  }
}

extension [UInt8] {
  /// The index of the first newline in `range`.
  func firstNewline(in range: Range<Int>) -> Int? {
    guard !range.isEmpty else { return nil }
    return withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress,
        let found = memchr(base + range.lowerBound, Int32(UInt8(ascii: "\n")), range.count)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }
}

extension MemoryError {
  /// The error of a failed open. A lack of descriptors is `.unavailable`, since it says nothing about the file.
  static func cannot(_ verb: String, _ name: String, _ number: Int32, _ remedy: String) -> MemoryError {
    let lacksDescriptors = number == EMFILE || number == ENFILE
    return MemoryError(
      lacksDescriptors ? .unavailable : .invalid,
      "cannot \(verb) \(name): \(systemMessage(number)); "
        + (lacksDescriptors ? "name fewer files at once, or raise the limit of open files (ulimit -n)" : remedy))
  }
}

/// The system's text for an error number.
func systemMessage(_ number: Int32) -> String { String(cString: strerror(number)) }
