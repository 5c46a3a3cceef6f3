import ArgumentParser

/// How a command prints its result.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON object.")
  var json = false
}

/// How a command prints times for people; JSON has ISO 8601 in UTC.
struct TimeOptions: ParsableArguments {
  @Flag(help: "Print times in UTC instead of the local time zone.")
  var utc = false

  var format: TimeFormat { TimeFormat(isUTC: utc) }
}
