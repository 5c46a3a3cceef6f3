extension Episode.Draft {
  /// Checks what `Memory.begin` would, before there is a store to begin it in.
  ///
  /// - Throws: `.invalid`, naming the field and what is wrong with it.
  package func validate(_ limits: Limits = Limits()) throws(MemoryError) {
    try Validation(limits: limits).draft(self)
  }
}
