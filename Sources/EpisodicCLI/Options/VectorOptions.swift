import ArgumentParser
import Episodic

/// The vectors of queries.
struct VectorOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Vectors of the queries: raw little-endian float32, a row a query.", valueName: "file"))
  var queryVectors: String?

  @Option(
    help: ArgumentHelp(
      "The model that made the vectors; optional if the store has only one.", valueName: "name"))
  var model: String?

  @Option(help: ArgumentHelp("Numbers in a vector.", valueName: "n"))
  var dimensions: Int?

  var source: VectorSource? {
    guard let queryVectors, let dimensions else { return nil }
    return VectorSource(InputFile(argument: queryVectors), model: model, dimensions: dimensions)
  }

  func validate() throws {
    if let queryVectors { try NonUTF8Arguments.refuse(queryVectors, as: "--query-vectors") }
    if queryVectors == nil, model != nil || dimensions != nil {
      throw ValidationError("--model and --dimensions say what --query-vectors are; give it too")
    }
    if queryVectors != nil, dimensions == nil {
      throw ValidationError("--query-vectors needs --dimensions N, the numbers in a vector")
    }
  }
}
