import FileLocks
import Foundation

/// Reads a short secret from where only its owner has it. No error shows a byte of it.
package struct SecretSource: Sendable {
  /// What errors call it, such as `key`.
  private let noun: String
  /// The code of an error for one that is not there.
  private let missing: MemoryError.Code
  /// No secret has more bytes.
  private let maximumBytes: Int

  package init(_ noun: String, missing: MemoryError.Code, maximumBytes: Int) {
    (self.noun, self.missing, self.maximumBytes) = (noun, missing, maximumBytes)
  }

  /// - Throws: `.invalid` if others than the owner may read or write the file.
  package func file(_ path: String) throws(MemoryError) -> [UInt8] {
    guard let bytes = try fileIfPresent(path) else {
      throw MemoryError(missing, "there is no \(noun) file \(path); name the file that has the \(noun)")
    }
    return bytes
  }

  /// - Returns: `nil` if there is no such file.
  package func fileIfPresent(_ path: String) throws(MemoryError) -> [UInt8]? {
    let found: (file: OpenFile<FileError>, mode: UInt32)?
    do throws(FileError) {
      found = try OpenFile<FileError>.reading(path).map { file throws(FileError) in (file, try file.status().mode) }
    } catch {
      throw MemoryError(.unavailable, "the \(noun) file \(path) cannot be read: \(error.message)", cause: error)
    }
    guard let found else { return nil }
    guard found.mode & 0o077 == 0 else {
      throw MemoryError(
        .invalid,
        "others than its owner may read or write the \(noun) file \(path); make it 0600 (chmod 600), and a new \(noun)")
    }
    return try read(found.file.descriptor, "the \(noun) file \(path)")
  }

  /// Reads an open descriptor up to its end; the caller keeps and closes it.
  package func descriptor(_ descriptor: Int32) throws(MemoryError) -> [UInt8] {
    try read(descriptor, "the descriptor \(descriptor)")
  }

  private func read(_ descriptor: Int32, _ source: String) throws(MemoryError) -> [UInt8] {
    var bytes: [UInt8] = []
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    do {
      while bytes.count <= maximumBytes, let more = try handle.read(upToCount: maximumBytes), !more.isEmpty {
        bytes += more
      }
    } catch {
      throw MemoryError(.unavailable, "\(source) cannot be read: \(error)", cause: error)
    }
    guard !bytes.isEmpty else { throw MemoryError(missing, "\(source) is empty; put the \(noun) into it") }
    guard bytes.count <= maximumBytes else {
      throw MemoryError(
        .invalid, "\(source) has more than \(maximumBytes) bytes, which is no \(noun); name the file of a \(noun)")
    }
    return bytes
  }
}
