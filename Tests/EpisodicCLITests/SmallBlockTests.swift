import Foundation
import TestSupport
import Testing

/// SQLite's WAL index is mapped with holes where a file system's blocks are smaller than 4 KiB.
@Suite struct `A file system of small blocks` {
  private let episodic: CommandLineTool

  init() throws { episodic = try CommandLineTool() }

  @Test(.enabled(if: Host.canMountImages, "needs the right to mount an image, and mkfs.ext4"))
  func `crashes no command however little space is left, and acknowledged writes are read`() throws {
    let folder = episodic.store + "-small"
    let image = folder + ".img"
    let made = try episodic.shell(
      """
      mkdir '\(folder)' && truncate -s 24M '\(image)' && mkfs.ext4 -q -F -b 1024 -m 0 '\(image)' \
      && mount -o loop '\(image)' '\(folder)'
      """)
    try #require(made.status == 0, "\(made)")
    defer { _ = try? episodic.shell("umount '\(folder)'; rm -f '\(image)'") }
    let store = ["--store", folder + "/s"]
    let record = ["record"] + store + ["--task", "testing", "--domain", "web", "--", "true"]
    try #require(try episodic.run(record).status == 0)
    for left in [0, 2, 16, 40, 80, 200, 500] {
      let filled = try episodic.shell(
        """
        free=$(df --output=avail -k '\(folder)' | tail -1); n=$((free - \(left)))
        if [ $n -gt 0 ]; then dd if=/dev/zero of='\(folder)/ballast' bs=1k count=$n 2>/dev/null; fi; true
        """)
      try #require(filled.status == 0)
      for command in [record, ["list"] + store, ["recall", "true", "--domain", "web"] + store, ["check"] + store] {
        let result = try episodic.run(command)
        #expect([0, 1, 3].contains(result.status), "\(left) KiB left: \(command[0]): \(result)")
        if command[0] == "list" { #expect(result.status == 0, "\(left) KiB left: \(result)") }
      }
      try FileManager.default.removeItem(atPath: folder + "/ballast")
      #expect(try episodic.run(["check"] + store).status == 0)
      #expect(try episodic.run(record).status == 0)
    }
  }
}
