import Vectors

/// Where things lie in the slabs of one embedding space.
///
/// A slab is up to 16,384 vectors and 8 MiB of one domain, in the order of their rows, in four values:
///
/// | part | content, *n* vectors | changes |
/// | --- | --- | --- |
/// | codes | the first words of all in groups, to scan; then *n* whole codes, to look at few: see `CodeLayout` | never |
/// | rows | *n* times scale Float32, norm Float32, check UInt32, one Int8 a dimension | never |
/// | columns | see `SlabColumns` | never |
/// | statuses | *n* bytes: the status of the episode, or `dead` | with the episode |
///
/// Codes depend on the vector alone, so a rebuild gives the same ones. All but rows end with a seal over the whole value;
/// a row carries a check of its own, because of the rows of a slab a query reads a few here and there.
struct SlabLayout: Sendable {
  /// Vectors of the largest slab that there may be.
  static let capacity = 16_384
  static let dead: UInt8 = 255
  static let rowHeader = 12

  let dimensions: Int
  let code: CodeLayout

  init(dimensions: Int) {
    self.dimensions = dimensions
    code = CodeLayout(dimensions: dimensions)
  }

  var codeBytes: Int { code.codeBytes }
  var rowBytes: Int { Self.rowHeader + dimensions }
  /// What a vector takes, all parts together.
  var bytesPerVector: Int { 8 * code.prefixWords + codeBytes + rowBytes + SlabColumns.bytesPerVector + 1 }

  /// Vectors of a slab that is written now: bounds what one merge copies, however long vectors are.
  var capacity: Int { min(Self.capacity, max(1, Self.slabBytes / bytesPerVector)) }
  /// Vectors that a tail takes before they become slabs, which is what a single insert has to write.
  var tailCapacity: Int { min(64, max(4, Self.tailBytes / bytesPerVector)) }

  private static let slabBytes = 8 << 20
  private static let tailBytes = 256 << 10

  /// The length of the part codes.
  func codesBytes(_ count: Int) -> Int { code.groupBytes(count) + count * codeBytes }
}
