import Foundation

/// What the C library does with memory that was freed.
enum FreedMemory {
  /// Makes the GNU C library return freed blocks of 128 KiB and more to the system at once, until the process ends.
  ///
  /// The library begins so, and raises the bound to 32 MiB with the blocks that it sees freed; smaller ones stay in the heap of a
  /// thread. Batches, rows and segments of the index are such blocks: an import of logs would hold 20 MB more.
  ///
  /// Other C libraries have no `mallopt`, and stay as they are.
  static func returnLargeBlocks() {
    #if os(Linux)
      // The declaration, in malloc.h, is not in Swift's module of the library.
      guard let symbol = dlsym(nil, "mallopt") else { return }
      let mallopt = unsafeBitCast(symbol, to: (@convention(c) (CInt, CInt) -> CInt).self)
      _ = mallopt(largeBlocks, 128 << 10)
    #endif
  }

  /// `M_MMAP_THRESHOLD`.
  private static let largeBlocks: CInt = -3
}
