extension JSON {
  /// The members of an object: each name once, in the order of the names' UTF-8 bytes.
  ///
  /// Not a dictionary: canonically equivalent names, `é` composed and decomposed, are two names in JSON.
  ///
  /// - Complexity: A member by its name costs O(log *n*), a new one O(*n*).
  public struct Object: Sendable {
    private var members: [Element] = []

    /// An object without members.
    public init() {}

    /// Of two members with one name the later one wins.
    ///
    /// - Complexity: O(*n* log *n*); O(*n*) if the names are in order.
    public init(_ members: some Sequence<(String, JSON)>) {
      self.members = members.map { (name: $0, value: $1) }
      guard !isInOrder else { return }
      // Stable, so that of two members with one name the later one stays last.
      self.members.sort { $0.name.bytesPrecede($1.name) }
      var last = 0
      for index in self.members.indices.dropFirst() {
        if !self.members[index].name.hasSameBytes(as: self.members[last].name) { last += 1 }
        self.members[last] = self.members[index]
      }
      self.members.removeSubrange((last + 1)...)
    }

    /// The members of a dictionary, ordered by their names.
    public init(_ members: [String: JSON]) { self.init(members.map { ($0.key, $0.value) }) }

    /// Setting `nil` removes the member.
    public subscript(name: String) -> JSON? {
      get {
        let (index, isThere) = place(of: name)
        // Not `nil`, which in this place is the value null.
        return isThere ? .some(members[index].value) : .none
      }
      set {
        let (index, isThere) = place(of: name)
        switch (newValue, isThere) {
        case (let value?, true): members[index].value = value
        case (let value?, false): members.insert((name, value), at: index)
        case (nil, true): members.remove(at: index)
        case (nil, false): break
        }
      }
    }

    private var isInOrder: Bool {
      zip(members, members.dropFirst()).allSatisfy { $0.name.bytesPrecede($1.name) }
    }

    /// The index of a name, or the index at which to insert it.
    private func place(of name: String) -> (index: Int, isThere: Bool) {
      var (low, high) = (0, members.count)
      while low < high {
        let middle = (low + high) / 2
        if members[middle].name.bytesPrecede(name) { low = middle + 1 } else { high = middle }
      }
      return (low, low < members.count && members[low].name.hasSameBytes(as: name))
    }
  }
}

extension JSON.Object: RandomAccessCollection, ExpressibleByDictionaryLiteral {
  public typealias Element = (name: String, value: JSON)

  public var startIndex: Int { members.startIndex }
  public var endIndex: Int { members.endIndex }
  public subscript(position: Int) -> Element { members[position] }

  public init(dictionaryLiteral members: (String, JSON)...) { self.init(members) }
}

extension JSON.Object: Hashable {
  public static func == (a: Self, b: Self) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.name.hasSameBytes(as: $1.name) && $0.value == $1.value }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for member in members {
      hasher.combine(bytesOf: member.name)
      hasher.combine(member.value)
    }
  }
}
