#if Tracing
  import ServiceContextModule
  import Tracing
#endif

extension Memory {
  /// Runs a verb in a span of swift-distributed-tracing, if the package is built with its trait `Tracing`; else runs it alone.
  ///
  /// Verbs that it calls have spans below it. Names follow OpenTelemetry's conventions for databases.
  ///
  /// - Parameter operation: The verb: `recall`.
  /// - Parameter scope: Where the caller may look; its domain is the namespace.
  @inline(__always)
  func span<Value>(
    _ operation: @autoclosure () -> String, _ scope: @autoclosure () -> Query.Scope? = nil,
    _ body: () async throws(MemoryError) -> Value
  ) async throws(MemoryError) -> Value {
    #if Tracing
      let operation = operation()
      let span = InstrumentationSystem.tracer.startSpan(
        operation, context: ServiceContext.current ?? .topLevel, ofKind: .client)
      defer { span.end() }
      span.attributes["db.system.name"] = "episodic"
      span.attributes["db.operation.name"] = operation
      if case .domain(let name) = scope() { span.attributes["db.namespace"] = name }
      let result: Result<Value, MemoryError> = await ServiceContext.$current.withValue(span.context) {
        do throws(MemoryError) { return .success(try await body()) } catch { return .failure(error) }
      }
      if case .failure(let error) = result {
        span.attributes["error.type"] = error.code.rawValue
        // The message may name what is in the store; the code does not.
        span.setStatus(SpanStatus(code: .error, message: error.code.rawValue))
      }
      return try result.get()
    #else
      return try await body()
    #endif
  }
}
