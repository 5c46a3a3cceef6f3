/// The fields of a row that filters compare: plain numbers, whose meaning is the caller's.
@usableFromInline package struct RowAttributes: Hashable, Sendable {
  /// The part of the rows that lies in slabs of its own: a search of one partition reads no other's slabs.
  @usableFromInline package var partition: UInt32
  /// Compared for equality; the caller may let 0 stand for none.
  @usableFromInline package var series: UInt32
  /// Compared for equality.
  @usableFromInline package var kind: UInt32
  /// 0...31, compared with a set.
  @usableFromInline package var state: UInt8
  /// Compared with a range.
  @usableFromInline package var time: Int64

  @inlinable
  package init(partition: UInt32, series: UInt32, kind: UInt32, state: UInt8, time: Int64) {
    self.partition = partition
    self.series = series
    self.kind = kind
    self.state = state
    self.time = time
  }
}

/// The rows that a search may return.
@usableFromInline package struct AttributeFilter: Sendable {
  /// `nil`: any.
  @usableFromInline package let partition: UInt32?
  @usableFromInline package let series: UInt32?
  @usableFromInline package let kind: UInt32?
  /// A bit for each state that passes.
  @usableFromInline package let states: UInt32
  /// Both ends included.
  @usableFromInline package let times: ClosedRange<Int64>

  @inlinable
  package init(partition: UInt32?, series: UInt32?, kind: UInt32?, states: UInt32, times: ClosedRange<Int64>) {
    self.partition = partition
    self.series = series
    self.kind = kind
    self.states = states
    self.times = times
  }

  @inlinable
  package func admits(_ row: RowAttributes) -> Bool {
    row.state < 32 && states & (1 << UInt32(row.state)) != 0 && (partition ?? row.partition) == row.partition
      && (series ?? row.series) == row.series && (kind ?? row.kind) == row.kind && times.contains(row.time)
  }
}
