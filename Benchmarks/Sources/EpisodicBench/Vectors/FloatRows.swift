import CExactScan
import Foundation

/// A file of little-endian float32 rows, mapped into memory.
final class FloatRows {
  let count: Int
  let dimensions: Int
  let numbers: UnsafePointer<Float>
  /// One over the length of each row: an inner product with a unit vector times this is a cosine.
  let scales: [Float]
  private let bytes: UnsafeMutableRawPointer
  private let size: Int

  /// - Throws: If the size of the file does not fit `dimensions`, or a row is all zero or not finite.
  init(path: String, dimensions: Int) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw BenchError("\(path) cannot be opened: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    guard size > 0, size.isMultiple(of: 4 * dimensions) else {
      throw BenchError("\(path) has \(size) bytes, no rows of \(dimensions) float32; see --dimensions")
    }
    guard let bytes = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), bytes != MAP_FAILED else {
      throw BenchError("\(path) cannot be mapped: \(String(cString: strerror(errno)))")
    }
    let numbers = UnsafePointer(bytes.bindMemory(to: Float.self, capacity: size / 4))
    let count = size / 4 / dimensions
    let scales = (0..<count).map { row in
      let start = numbers + row * dimensions
      return 1 / cexact_dot(start, start, dimensions).squareRoot()
    }
    self.bytes = bytes
    self.size = size
    self.numbers = numbers
    self.dimensions = dimensions
    self.count = count
    self.scales = scales
    if let bad = scales.firstIndex(where: { !$0.isFinite || $0 <= 0 }) {
      throw BenchError("row \(bad) of \(path) is all zero or not finite")
    }
  }

  deinit { munmap(bytes, size) }

  /// As stored in the file.
  subscript(row: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: numbers + row * dimensions, count: dimensions))
  }

  /// Of length 1.
  func unit(_ row: Int) -> [Float] { self[row].map { $0 * scales[row] } }
}

/// The nearest rows by cosine, by one pass over float32 rows in C: the oracle, and the cost without an index.
struct ExactScan {
  struct Neighbour {
    let row: Int
    let similarity: Float
  }

  let base: FloatRows

  /// - Parameter query: Of length 1.
  /// - Parameter rows: The rows to compare; `nil` for all.
  /// - Returns: At most `k`, best first; of equal similarities the lower row first.
  func nearest(to query: [Float], k: Int, among rows: [UInt32]? = nil) -> [Neighbour] {
    let found = [cexact_neighbour](unsafeUninitializedCapacity: k) { buffer, count in
      count = cexact_nearest(
        base.numbers, base.scales, base.dimensions, rows, rows?.count ?? base.count, query, k, buffer.baseAddress)
    }
    return found.map { Neighbour(row: Int($0.row), similarity: $0.score) }
  }

  /// The cosine of one row with a query of length 1.
  func similarity(of row: Int, to query: [Float]) -> Float {
    cexact_dot(base.numbers + row * base.dimensions, query, base.dimensions) * base.scales[row]
  }
}
