import CLMDB

extension Environment {
  /// Unmaps the pages of the map that this process has touched. They stay in the system's file cache: the next touch
  /// costs a page fault and no reading from the disk.
  ///
  /// After a build or a merge, which read the whole file, the process would otherwise be charged for all of it.
  ///
  /// Cost: the list of this process's maps is read, a fraction of a millisecond. Does nothing where there is no such list.
  package func releaseMappedPages() throws(LMDBError) {
    #if os(Linux)
      try enter()
      defer { leave() }
      guard let map = Self.map(of: path + "/data.mdb") else { return }
      // The map is shared and never written through, so what is dropped is what lies in the file. A hint: if it is
      // refused, nothing changes.
      _ = madvise(UnsafeMutableRawPointer(bitPattern: map.lowerBound), map.count, MADV_DONTNEED)
    #endif
  }

  #if os(Linux)
    /// The addresses at which a file is mapped; `nil` if it is not, or if there is no such list.
    private static func map(of file: String) -> Range<UInt>? {
      var status = stat()
      guard stat(file, &status) == 0, status.st_size > 0, let list = fopen("/proc/self/maps", "re") else { return nil }
      defer { fclose(list) }
      var line: UnsafeMutablePointer<CChar>?
      var capacity = 0
      defer { free(line) }
      while getline(&line, &capacity, list) > 0, let text = line {
        // Start and end, rights, offset, device, inode, name.
        let fields = String(cString: text).split(separator: " ", maxSplits: 5)
        guard fields.count == 6, fields[1].last == "s", fields[4] == "\(status.st_ino)",
          fields[5].hasSuffix("data.mdb\n")
        else { continue }
        let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
        guard ends.count == 2, ends[0] < ends[1] else { return nil }
        // Beyond the end of the file nothing can have been touched.
        return ends[0]..<min(ends[1], ends[0] &+ UInt(status.st_size))
      }
      return nil
    }
  #endif
}
