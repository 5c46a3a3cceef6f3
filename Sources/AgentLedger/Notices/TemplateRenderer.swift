import Mustache
import StoreValues

/// Renders plain text by swift-mustache.
struct TemplateRenderer {
  private let place: String
  private let template: MustacheTemplate

  /// - Throws: `.invalid` if swift-mustache cannot parse it.
  init(_ text: String, _ place: String) throws(MemoryError) {
    self.place = place
    do {
      // By default values are escaped for HTML. The line of the pragma leaves nothing in the text.
      template = try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}\n" + text)
    } catch {
      throw MemoryError(.invalid, "\(place) is no Mustache template: \(error); correct it", cause: error)
    }
  }

  /// - Throws: `.limitExceeded` for lists whose sections would repeat each other without end.
  func render(_ values: JSON) throws(MemoryError) -> String {
    let lookups = LookupCounter()
    let text = template.render(TemplateValue(json: values, lookups: lookups))
    guard !lookups.isExhausted else {
      throw MemoryError(
        .limitExceeded, "\(place) looks up more than \(LookupCounter.most) values; give shorter lists")
    }
    return text
  }
}

/// Counts what one rendering looks up: sections in sections multiply.
private final class LookupCounter {
  static let most = 100_000
  private var count = 0
  var isExhausted: Bool { count > Self.most }

  func mayGoOn() -> Bool {
    count += 1
    return !isExhausted
  }
}

/// A JSON value as swift-mustache sees it, but for booleans and lists.
private struct TemplateValue: MustacheParent, MustacheCustomRenderable {
  let json: JSON
  let lookups: LookupCounter

  func child(named name: String) -> Any? {
    guard lookups.mayGoOn(), let value = json[name] else { return nil }
    return Self.mustache(value, lookups)
  }

  var renderText: String {
    switch json {
    case .string(let text): text
    case .null: ""
    default: json.canonicalText
    }
  }

  var isNull: Bool { json == .null }

  static func mustache(_ json: JSON, _ lookups: LookupCounter) -> Any {
    switch json {
    case .bool(let value): value
    case .array(let elements): TemplateList(elements: elements, lookups: lookups)
    default: TemplateValue(json: json, lookups: lookups)
    }
  }
}

/// A list: a section repeats for its elements.
private struct TemplateList: MustacheSequence, MustacheParent, MustacheCustomRenderable {
  let elements: [JSON]
  let lookups: LookupCounter

  func makeIterator() -> AnyIterator<Any> {
    var elements = elements.makeIterator()
    return AnyIterator { [lookups] in
      guard lookups.mayGoOn(), let element = elements.next() else { return nil }
      return TemplateValue.mustache(element, lookups)
    }
  }

  /// Without this swift-mustache would look for a stored property.
  func child(named name: String) -> Any? { nil }

  var renderText: String { JSON.array(elements).canonicalText }
  var isNull: Bool { false }
}
