#if Tracing
  import Episodic
  import InMemoryTracing
  import Testing
  import Tracing

  /// Built and run with `swift test --traits Tracing`.
  @Suite(.serialized) struct `Spans` {
    private static let tracer: InMemoryTracer = {
      let tracer = InMemoryTracer()
      InstrumentationSystem.bootstrap(tracer)
      return tracer
    }()

    /// Tests in parallel have spans of their own: those of this test are below its span.
    private func spans(_ body: (Memory) async throws -> Void) async throws -> [FinishedInMemorySpan] {
      let tracer = Self.tracer
      let memory = try await Memory.inMemory()
      return try await tracer.withSpan("test") { span in
        try await body(memory)
        return tracer.finishedSpans.filter { $0.traceID == span.context.inMemorySpanContext?.traceID }
      }
    }

    @Test func `are one for each verb, with the names of the conventions for databases`() async throws {
      let spans = try await spans { memory in
        let web = memory.domain("web")
        let episode = try await web.begin(.debugging, context: "the login fails")
        _ = try await web.append(Step.Draft("npm test", success: true), to: episode.id)
        _ = try await web.complete(episode.id)
        _ = try await web.recall("login")
        _ = try await memory.episode(episode.id)
      }
      #expect(spans.map(\.operationName) == ["begin", "append", "complete", "recall", "episode"])
      for span in spans {
        #expect(span.attributes.get("db.system.name") == "episodic")
        #expect(span.attributes.get("db.operation.name") == SpanAttribute.string(span.operationName))
        #expect(span.errors.isEmpty && span.status == nil)
      }
      #expect(spans[3].attributes.get("db.namespace") == "web" && spans[4].attributes.get("db.namespace") == nil)
    }

    @Test func `are nested as the verbs are`() async throws {
      let spans = try await spans { memory in
        _ = try await memory.recall(Query(text: "login", scope: .everything), neighbors: 2)
        _ = try await memory.maintain()
      }
      #expect(spans.last?.operationName == "maintain" && spans.contains { $0.operationName == "recall" })
    }

    @Test func `have the code of an error, and not its message`() async throws {
      let spans = try await spans { memory in
        await #expect(throws: MemoryError.self) { try await memory.complete("secret-id") }
      }
      let span = try #require(spans.first)
      #expect(span.attributes.get("error.type") == "not_found" && span.status?.code == .error)
      #expect(span.status?.message?.contains("secret") != true)
    }
  }
#endif
