public import EpisodicMemory
import Vectors

/// A file of vectors of one space that belongs to a file of lines: raw little-endian float32, one row a line, no separators.
public struct VectorSource: Hashable, Sendable {
  /// Raw little-endian float32, one row after the other.
  public var file: InputFile
  /// `nil`, only for queries: the store's only model with that many dimensions.
  public var model: String?
  /// How many numbers a row has.
  public var dimensions: Int

  /// Rows of `dimensions` numbers in a file.
  public init(_ file: InputFile, model: String?, dimensions: Int) {
    self.file = file
    self.model = model
    self.dimensions = dimensions
  }
}

extension VectorSource {
  /// `nil` if the model is not named and the store determines it.
  package var space: EmbeddingSpace? { model.map { EmbeddingSpace(model: $0, dimensions: dimensions) } }

  /// The only vector of the file.
  ///
  /// - Throws: `.invalid` if the file has another number of rows, or its row is not finite or all zero.
  public func onlyVector() throws(MemoryError) -> [Float] {
    let file = try VectorFile(self, limits: Memory.Limits())
    try file.require(rows: 1, for: "query")
    return try file.row(0)
  }
}

/// A file of vectors, read row by row.
struct VectorFile {
  private let input: OpenInput
  private let dimensions: Int

  /// - Throws: `.invalid` if the file cannot be read, or `dimensions` is out of range.
  init(_ source: VectorSource, limits: Memory.Limits) throws(MemoryError) {
    guard (1...limits.dimensions).contains(source.dimensions) else {
      throw MemoryError(.invalid, "dimensions is \(source.dimensions); a vector has 1 to \(limits.dimensions) numbers")
    }
    input = try OpenInput(source.file)
    dimensions = source.dimensions
  }

  /// Requires one row for every line: with one too few or too many, every later line would get another's vector.
  ///
  /// Reads a pipe at most to the first byte beyond the wanted size.
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
  /// - Throws: `.invalid` if there is no such row, or it is not finite or all zero.
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
