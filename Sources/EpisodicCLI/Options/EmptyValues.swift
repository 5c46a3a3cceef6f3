/// `--option=` with nothing after it: the parser would take the next word for the value.
enum EmptyValues {
  /// The arguments, in which `--option=` before `--` is the option and an empty value.
  static func separated(_ arguments: [String]) -> [String] {
    let options = arguments.prefix { $0 != "--" }
    return options.flatMap { argument in
      argument.hasPrefix("--") && argument.firstIndex(of: "=") == argument.indices.last
        ? [String(argument.dropLast()), ""] : [argument]
    } + arguments.dropFirst(options.count)
  }
}
