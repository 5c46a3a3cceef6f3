/// What the command says about itself.
enum Program {
  static let version = "0.1.0"
}
