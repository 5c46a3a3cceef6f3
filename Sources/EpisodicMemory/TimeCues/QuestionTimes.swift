package import struct Foundation.TimeZone

/// The times that a query's text names, as its search uses them.
package struct QuestionTimes: Sendable {
  /// Windows, in the order of the text.
  package let cues: [TimeCue]
  /// Times beside events that a search has to find first.
  package let events: [TimeCues.Event]
  /// Where days begin at midnight.
  package let zone: TimeZone

  package init(cues: [TimeCue] = [], events: [TimeCues.Event] = [], zone: TimeZone = .gmt) {
    (self.cues, self.events, self.zone) = (cues, events, zone)
  }
}
