import ArgumentParser
import Episodic

/// A JSON object in an option.
enum MetadataText {
  @Sendable static func parse(_ text: String) throws -> JSON {
    let value: JSON
    do throws(MemoryError) {
      value = try JSON(text: text)
    } catch {
      throw ValidationError("it is no JSON: \(error.message)")
    }
    guard value.members != nil else {
      throw ValidationError("it is \(value.outputText.prefix(40)); write an object such as {\"branch\": \"main\"}")
    }
    return value
  }

  /// Any JSON value.
  @Sendable static func parseValue(_ text: String) throws -> JSON {
    do throws(MemoryError) {
      return try JSON(text: text)
    } catch {
      throw ValidationError("it is no JSON: \(error.message)")
    }
  }
}
