import Foundation
import Synchronization

/// Counts in a small file that processes map: what a worker has counted survives its being killed.
///
/// One page: a flag that tells the workers to stop, then the counts of each worker's place, which one process at a time
/// holds.
final class SharedTallies {
  enum Count: Int, CaseIterable {
    case episodeReads, ownReads, guestReads, patternReads, recalls
    case steps, notes, guests, patternUses
    case violations
  }

  private static let bytes = 16_384
  static let mostPlaces = bytes / MemoryLayout<Int>.stride / Count.allCases.count - 1

  private let numbers: UnsafeMutablePointer<Atomic<Int>>

  /// Maps the file; makes it where there is none.
  init(path: String) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw BenchError("\(path) cannot be opened: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(Self.bytes)) == 0,
      let page = mmap(nil, Self.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), page != MAP_FAILED
    else { throw BenchError("\(path) cannot be mapped: \(String(cString: strerror(errno)))") }
    // The file is all zeros at first, and so are atomic integers that begin at zero.
    numbers = page.bindMemory(to: Atomic<Int>.self, capacity: Self.bytes / MemoryLayout<Int>.stride)
  }

  deinit { munmap(numbers, Self.bytes) }

  /// Whether the workers are to end.
  var isStopped: Bool { numbers.pointee.load(ordering: .relaxed) != 0 }
  func stop() { numbers.pointee.store(1, ordering: .relaxed) }

  func add(_ count: Count, place: Int) {
    numbers[index(count, place)].wrappingAdd(1, ordering: .relaxed)
  }

  /// Over all places.
  subscript(count: Count) -> Int {
    (0..<Self.mostPlaces).reduce(0) { $0 + numbers[index(count, $1)].load(ordering: .relaxed) }
  }

  private func index(_ count: Count, _ place: Int) -> Int { (place + 1) * Count.allCases.count + count.rawValue }
}
