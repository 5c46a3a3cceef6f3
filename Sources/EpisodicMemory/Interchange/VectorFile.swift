import Vectors

/// Vectors of one space beside a file of lines: raw little-endian float32, a row a line, nothing between them.
public struct VectorSource: Hashable, Sendable {
  public var file: InputFile
  /// `nil`, for queries only: the store's only model of that length.
  public var model: String?
  public var dimensions: Int

  public init(_ file: InputFile, model: String?, dimensions: Int) {
    self.file = file
    self.model = model
    self.dimensions = dimensions
  }
}

/// A file of vectors, read row by row.
struct VectorFile {
  private let input: OpenInput
  private let dimensions: Int

  /// - Throws: `.invalid` where the file cannot be read, or no vector has so many numbers.
  init(_ source: VectorSource, limits: Limits) throws(MemoryError) {
    guard (1...limits.dimensions).contains(source.dimensions) else {
      throw MemoryError(.invalid, "dimensions is \(source.dimensions); a vector has 1 to \(limits.dimensions) numbers")
    }
    input = try OpenInput(source.file)
    dimensions = source.dimensions
  }

  /// Makes sure that every line has its row: one too few or too many would give every later line another's vector.
  ///
  /// A pipe is read no further than to the first byte too many.
  func require(rows wanted: Int, for what: String) throws(MemoryError) {
    let bytes = Int64(wanted) * Int64(4 * dimensions)
    let size = try input.size(upTo: bytes + 1)
    guard size != bytes else { return }
    guard input.size != nil else {
      throw MemoryError(
        .invalid,
        "\(input.name) has more than \(wanted) rows of \(dimensions) float32 for \(wanted) \(what); give one row a line"
      )
    }
    let (rows, rest) = size.quotientAndRemainder(dividingBy: Int64(4 * dimensions))
    guard rest == 0 else {
      throw MemoryError(
        .invalid,
        "\(input.name) has \(size) bytes, no multiple of the \(4 * dimensions) that a row of \(dimensions) "
          + "float32 takes; check the file and the number of dimensions")
    }
    throw MemoryError(
      .invalid, "\(input.name) has \(rows) rows of \(dimensions) float32 for \(wanted) \(what); give one row a line")
  }

  /// A row, counted from 0.
  ///
  /// - Throws: `.invalid` where there is no such row, or it is not finite or all zero.
  func row(_ index: Int) throws(MemoryError) -> [Float] {
    var bytes = [UInt8](repeating: 0, count: 4 * dimensions)
    let input = input, offset = Int64(index) * Int64(bytes.count)
    let read: Result<Int, MemoryError> = bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(MemoryError) in try input.read(into: buffer, at: offset) }
    }
    guard try read.get() == bytes.count else {
      throw MemoryError(.invalid, "\(input.name) has no row \(index + 1); give one row a line")
    }
    do {
      return try Vector(littleEndianFloat32: bytes.span.bytes, dimensions: dimensions).components
    } catch {
      throw MemoryError(.invalid, "row \(index + 1) of \(input.name): \(error); embed it again", cause: error)
    }
  }
}
