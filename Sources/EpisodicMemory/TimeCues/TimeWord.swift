/// A word of the vocabulary of time.
enum TimeWord: Hashable, Sendable {
  /// How surely a word means the month.
  enum Certainty: Hashable, Sendable {
    case certain
    /// A name or another word too: April, June, August; abbreviations.
    case likely
    /// Another word at least as often: may, march.
    case unlikely
  }

  case month(Int, Certainty)
  /// 0 is Monday.
  case weekday(Int, Certainty)
  case unit(TimeUnit, isPlural: Bool)
  case cardinal(Int)
  /// `twenty`, `thirty`: with a number after it, one number.
  case tens(Int)
  case ordinal(Int)
  case season(Season)
  case dayPart(DayPart)
  case last, past, previous, this, next, the, a, possessive, ago, before, after, since, until, from, to, through
  case between, and, or, on, `in`, during, at, by, of, over, early, mid, late, beginning, end, half, yesterday, today
  case tonight, other, about, couple, few, several, some, prior, recurring, noun, up, earlier, more, than
  /// A word after which a number is no amount of something: `did`, `we`, `was`.
  case function

  /// By lower-case spelling.
  static let vocabulary: [String: TimeWord] = {
    var words: [String: TimeWord] = [:]
    func add(_ spellings: String, _ word: TimeWord) {
      for spelling in spellings.split(separator: " ") { words[String(spelling)] = word }
    }
    let months = [
      ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may", ""), ("june", "jun"),
      ("july", "jul"), ("august", "aug"), ("september", "sep sept"), ("october", "oct"), ("november", "nov"),
      ("december", "dec"),
    ]
    for (number, (name, short)) in zip(1..., months) {
      let certainty: Certainty =
        [3, 5].contains(number) ? .unlikely : [4, 6, 8].contains(number) ? .likely : .certain
      add(name, .month(number, certainty))
      add(short, .month(number, .likely))
    }
    let weekdays = [
      ("monday", "mon"), ("tuesday", "tue tues"), ("wednesday", "wed weds"), ("thursday", "thu thur thurs"),
      ("friday", "fri"), ("saturday", "sat"), ("sunday", "sun"),
    ]
    for (number, (name, short)) in zip(0..., weekdays) {
      add(name, .weekday(number, .certain))
      add(short, .weekday(number, number < 5 ? .likely : .unlikely))
    }
    let units: [(String, TimeUnit, String)] = [
      ("minute min", .minute, "minutes mins"), ("hour", .hour, "hours"), ("day", .day, "days"),
      ("week", .week, "weeks"), ("fortnight", .fortnight, "fortnights"), ("weekend", .weekend, "weekends"),
      ("month", .month, "months"), ("quarter", .quarter, "quarters"), ("year", .year, "years"),
      ("decade", .decade, "decades"),
    ]
    for (singular, unit, plural) in units {
      add(singular, .unit(unit, isPlural: false))
      add(plural, .unit(unit, isPlural: true))
    }
    let cardinals =
      "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    for (number, name) in zip(1..., cardinals.split(separator: " ")) { add(String(name), .cardinal(number)) }
    for (number, name) in zip(2..., "twenty thirty forty fifty sixty seventy eighty ninety".split(separator: " ")) {
      add(String(name), .tens(number * 10))
    }
    let ordinals = """
      first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth \
      sixteenth seventeenth eighteenth nineteenth twentieth
      """
    for (number, name) in zip(1..., ordinals.split(separator: " ")) { add(String(name), .ordinal(number)) }
    add("thirtieth", .ordinal(30))
    add("spring", .season(.spring))
    add("summer", .season(.summer))
    add("autumn", .season(.autumn))
    add("fall", .season(.autumn))
    add("winter", .season(.winter))
    add("morning", .dayPart(.morning))
    add("afternoon", .dayPart(.afternoon))
    add("evening", .dayPart(.evening))
    add("night", .dayPart(.night))
    let keywords: [(String, TimeWord)] = [
      ("last", .last), ("past", .past), ("previous preceding", .previous), ("this current", .this),
      ("next coming", .next), ("the", .the), ("a an", .a), ("my our your his her their", .possessive),
      ("ago back", .ago), ("before", .before), ("after following", .after), ("since", .since), ("until till", .until),
      ("from", .from), ("to", .to), ("through thru", .through), ("between", .between), ("and", .and), ("or", .or),
      ("on", .on), ("in within", .in), ("during throughout", .during), ("at", .at), ("by", .by), ("of", .of),
      ("over", .over), ("early", .early), ("mid middle", .mid), ("late", .late), ("beginning start", .beginning),
      ("end", .end), ("half", .half), ("yesterday", .yesterday), ("today", .today), ("tonight", .tonight),
      ("other", .other), ("about around roughly approximately circa almost nearly maybe", .about), ("couple", .couple),
      ("few", .few), ("several", .several), ("some", .some), ("prior", .prior), ("every each any", .recurring),
      ("boot framework mvc security cloud batch", .noun), ("up", .up), ("earlier", .earlier), ("more", .more),
      ("than", .than),
      (
        """
        did do does i we you he she they it was were is are had has have but with for when what which who whom whose why \
        where how that because as if not again there then could would should can will me us him them so
        """, .function
      ),
    ]
    for (spellings, word) in keywords { add(spellings, word) }
    return words
  }()
}
