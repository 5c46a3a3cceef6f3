/// Which part of a large set an episode belongs to: a tenth, a hundredth, or the rest; scattered all over it.
enum Portion: String {
  case most, tenth, hundredth

  /// The same for the same number and salt, everywhere; portions of different salts are independent.
  init(_ number: Int, salt: UInt64) {
    var generator = SeededGenerator(seed: UInt64(number) << 8 | salt)
    self =
      switch generator.next() % 100 {
      case 0: .hundredth
      case 1...10: .tenth
      default: .most
      }
  }

  var name: String { "bench-" + rawValue }

  static func domain(_ number: Int) -> Portion { Portion(number, salt: 1) }
  static func taskType(_ number: Int) -> Portion { Portion(number, salt: 2) }
}
