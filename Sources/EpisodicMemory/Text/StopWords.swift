/// English words that do not tell tasks apart.
///
/// Negation, quantity, comparison, order and direction are not among them ("not", "more", "all", "before", "without").
/// The single letters are the rest of a word after an apostrophe.
enum StopWords {
  static let english = Set(
    """
    a about am an and are as at be been being but by can could d did do does for from had has have he her here him his \
    how i if in into is it its ll m may me might must my of on onto or our re s shall she should so t that the their \
    them there these they this those to us ve was we were what when where which who whom whose why will with would you \
    your
    """.split(separator: " ").map(String.init))
}
