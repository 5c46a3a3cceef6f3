extension [Float] {
  /// Reads little-endian float32 at any alignment; nil if the number of bytes is not a multiple of 4.
  ///
  /// Every bit pattern is kept, NaN included: use `Vector` to refuse what is not a vector.
  public init?(littleEndianFloat32 bytes: RawSpan) {
    guard bytes.byteCount.isMultiple(of: 4) else { return nil }
    let count = bytes.byteCount / 4
    self = bytes.withUnsafeBytes { source in
      [Float](unsafeUninitializedCapacity: count) { target, initialised in
        for index in 0..<count {
          let bits = source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
          target.initializeElement(at: index, to: Float(bitPattern: UInt32(littleEndian: bits)))
        }
        initialised = count
      }
    }
  }
}

extension [UInt8] {
  /// Writes every component as 4 little-endian bytes.
  public init(littleEndianFloat32 components: [Float]) {
    self.init(unsafeUninitializedCapacity: 4 * components.count) { target, initialised in
      let bytes = UnsafeMutableRawBufferPointer(target)
      for (index, component) in components.enumerated() {
        bytes.storeBytes(of: component.bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
      }
      initialised = 4 * components.count
    }
  }
}
