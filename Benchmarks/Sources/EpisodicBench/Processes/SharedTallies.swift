import Foundation
import Synchronization

/// Counters in a small file that all processes map, so that the counts of a killed worker survive.
///
/// A flag that stops the workers, then the counters of each place; one process at a time has a place.
final class SharedTallies {
  enum Count: Int, CaseIterable {
    case episodeReads, ownReads, guestReads, patternReads, recalls
    case steps, notes, guests, patternUses
    case violations
  }

  private static let bytes = 16_384
  static let mostPlaces = bytes / MemoryLayout<Int>.stride / Count.allCases.count - 1

  private let numbers: UnsafeMutablePointer<Atomic<Int>>

  /// Maps the file; creates it if needed.
  init(path: String) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw BenchError("\(path) cannot be opened: \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    guard ftruncate(descriptor, off_t(Self.bytes)) == 0,
      let page = mmap(nil, Self.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), page != MAP_FAILED
    else { throw BenchError("\(path) cannot be mapped: \(String(cString: strerror(errno)))") }
    // A new file is all zeros, which is the representation of atomic integers with the value 0.
    numbers = page.bindMemory(to: Atomic<Int>.self, capacity: Self.bytes / MemoryLayout<Int>.stride)
  }

  deinit { munmap(numbers, Self.bytes) }

  /// Whether the workers must stop.
  var isStopped: Bool { numbers.pointee.load(ordering: .relaxed) != 0 }
  func stop() { numbers.pointee.store(1, ordering: .relaxed) }

  func add(_ count: Count, place: Int) {
    numbers[index(count, place)].wrappingAdd(1, ordering: .relaxed)
  }

  /// The sum over all places.
  subscript(count: Count) -> Int {
    (0..<Self.mostPlaces).reduce(0) { $0 + numbers[index(count, $1)].load(ordering: .relaxed) }
  }

  private func index(_ count: Count, _ place: Int) -> Int { (place + 1) * Count.allCases.count + count.rawValue }
}
