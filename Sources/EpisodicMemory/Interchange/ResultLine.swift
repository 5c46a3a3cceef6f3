/// The answer to one query of a file as one JSON object on a line.
struct ResultLine {
  let queryID: String
  let hits: [Hit]
  /// How long the answer took.
  let duration: Duration

  /// The line without its end, members in the order of the contract.
  var text: String {
    let results = hits.map { hit in
      "{\"id\":\(JSON.string(hit.episode.id.rawValue).outputText),\"score\":\(JSON(hit.score).outputText)}"
    }
    return """
      {"query_id":\(JSON.string(queryID).outputText),"results":[\(results.joined(separator: ","))],\
      "ms":\(JSON(duration.fractionalMilliseconds).outputText)}
      """
  }
}

extension Duration {
  /// Milliseconds with a fraction, to the microsecond.
  package var fractionalMilliseconds: Double {
    ((self / .milliseconds(1)) * 1000).rounded() / 1000
  }
}
