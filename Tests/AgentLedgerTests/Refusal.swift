import StoreValues
import Testing

/// The code of the error that a call throws; `nil` if it throws none.
func refusal(_ call: () async throws -> some Any) async -> MemoryError.Code? {
  do {
    _ = try await call()
    return nil
  } catch let error as MemoryError {
    return error.code
  } catch {
    Issue.record(error)
    return nil
  }
}
