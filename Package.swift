// swift-tools-version: 6.2
import PackageDescription

/// The settings of every target: Swift 6, no accidental re-exports, no implicit executor hops, warnings are errors.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let metricsTestKit = Target.Dependency.product(name: "MetricsTestKit", package: "swift-metrics")
/// `FilePath`: of the system module on Apple's platforms, of this package elsewhere.
let system = Target.Dependency.product(
  name: "SystemPackage", package: "swift-system", condition: .when(platforms: [.linux, .android, .windows]))
/// Spans, only with the trait `Tracing`.
let tracing = ["Tracing", "InMemoryTracing"].map { name in
  Target.Dependency.product(
    name: name, package: "swift-distributed-tracing", condition: .when(traits: ["Tracing"]))
}
let serviceContext = Target.Dependency.product(
  name: "ServiceContextModule", package: "swift-service-context", condition: .when(traits: ["Tracing"]))
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
/// Key derivation, only with the trait `Passwords`.
let crypto = ["Crypto", "CryptoExtras"].map { name in
  Target.Dependency.product(name: name, package: "swift-crypto", condition: .when(traits: ["Passwords"]))
}
/// Signatures of an audit and encryption at rest, only with the trait `Encryption`.
let encryption = Target.Dependency.product(
  name: "Crypto", package: "swift-crypto", condition: .when(traits: ["Encryption"]))
/// The client of the HTTP sink, only with the trait `HTTPSink`.
let http = [
  Target.Dependency.product(
    name: "AsyncHTTPClient", package: "async-http-client", condition: .when(traits: ["HTTPSink"])),
  Target.Dependency.product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["HTTPSink"])),
  Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["HTTPSink"])),
]
/// The server of the Model Context Protocol by HTTP, only with the trait `HTTPServer`.
let httpServer = ["NIOCore", "NIOHTTP1", "NIOPosix"].map { name in
  Target.Dependency.product(name: name, package: "swift-nio", condition: .when(traits: ["HTTPServer"]))
}
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "episodic",
  // macOS 26: `InlineArray`, `UTF8Span` and the property `span` of an array need its standard library. Without them macOS 15
  // would do, which `Mutex`, `Atomic`, `TaskExecutor` and the typed failure of an `AsyncSequence` need; macOS 14 has none of these.
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Episodic", targets: ["Episodic"]),
    .library(name: "LedgerHTTP", targets: ["LedgerHTTP"]),
    .executable(name: "episodic", targets: ["EpisodicCLI"]),
  ],
  traits: [
    .trait(name: "Tracing", description: "Each verb of Memory runs in a span of swift-distributed-tracing."),
    .trait(name: "Passwords", description: "A ledger's people have passwords, kept by scrypt of swift-crypto."),
    .trait(
      name: "Encryption", description: "Domains are encrypted at rest, and heads of an audit signed, by swift-crypto."),
    .trait(name: "HTTPSink", description: "LedgerHTTP delivers a ledger's outbox by async-http-client."),
    .trait(name: "HTTPServer", description: "`episodic mcp --http` serves by HTTP, with swift-nio."),
  ],
  dependencies: [
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.3.0"),
    .package(url: "https://github.com/apple/swift-service-context", from: "1.2.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
  ],
  targets: [
    // L0: system library and C.
    .systemLibrary(
      name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(name: "CSQLite"),
    .target(name: "CFileLocks"),
    .target(name: "CVectors"),
    .target(name: "CArrivalOrder"),

    // L1: mechanisms, independent of episodes.
    .target(name: "FileLocks", dependencies: ["CFileLocks"], swiftSettings: strict),
    .target(name: "LMDBVerifier", dependencies: ["FileLocks"], swiftSettings: strict),
    // Lifetimes: the compiler checks that nothing lent by a transaction outlives it. Clients need no flag.
    .target(
      name: "LMDB", dependencies: ["CLMDB", "FileLocks", "LMDBVerifier"],
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
    .target(name: "Vectors", dependencies: ["CVectors"], swiftSettings: strict),
    .target(name: "CachePolicy", dependencies: ["FileLocks"], swiftSettings: strict),
    .target(name: "ByteCoding", swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
    .target(name: "Heaps", swiftSettings: strict),
    .target(name: "WordScoring", swiftSettings: strict),
    // Mines runs of symbols for patterns; knows neither episodes nor where they are kept.
    .target(name: "Learning", dependencies: ["ByteCoding"], swiftSettings: strict),
    .target(name: "ProcessSpawning", swiftSettings: strict),
    .target(name: "Gzip", dependencies: ["CZlib", "FileLocks"], swiftSettings: strict),
    .target(
      name: "VectorIndex", dependencies: ["ByteCoding", "Heaps", "LMDB", "Vectors"],
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
    .target(
      name: "SQLiteStorage", dependencies: ["ByteCoding", "CSQLite", "FileLocks", grdb, sqlite], swiftSettings: strict),

    // Indexes: rows and bytes in, rows and scores out; have never heard of an episode.
    .target(
      name: "WordIndex", dependencies: ["ByteCoding", "Heaps", "LMDB", "WordScoring"],
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),

    // Values that both concepts speak in: JSON, times, ids, errors, redaction.
    .target(name: "StoreValues", dependencies: ["ByteCoding"], swiftSettings: strict),
    // How they are kept in SQLite, whatever the store holds.
    .target(
      name: "StoreRows", dependencies: ["ByteCoding", "FileLocks", "SQLiteStorage", "StoreValues", grdb],
      swiftSettings: strict),

    // L2: concepts, named by meaning.
    .target(
      name: "EpisodicMemory",
      dependencies: [
        "ByteCoding", "FileLocks", "Heaps", "Learning", "StoreValues", "Vectors", "WordScoring", logging, encryption,
        tracing[0], serviceContext,
      ],
      swiftSettings: strict),

    .target(
      name: "AgentLedger",
      dependencies: [
        "ByteCoding", "FileLocks", "SQLiteStorage", "StoreRows", "StoreValues", crypto[0], crypto[1], grdb, logging,
        metrics, mustache,
      ],
      resources: [.embedInCode("Migrations")], swiftSettings: strict),

    // L3: adapters, named by technology.
    .target(name: "LedgerHTTP", dependencies: ["AgentLedger"] + http, swiftSettings: strict),
    .target(
      name: "MemorySQLite",
      dependencies: [
        "ByteCoding", "EpisodicMemory", "FileLocks", "Gzip", "Heaps", "Learning", "SQLiteStorage", "StoreRows",
        "Vectors",
        "WordScoring", encryption,
        grdb,
      ],
      resources: [.embedInCode("Migrations")], swiftSettings: strict),
    .target(
      name: "MemoryLMDB",
      dependencies: [
        "ByteCoding", "CachePolicy", "EpisodicMemory", "FileLocks", "Heaps", "LMDB", "VectorIndex", "Vectors",
        "WordIndex", logging, metrics,
      ],
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),

    // Reads and writes files through `Memory` alone.
    .target(
      name: "Interchange", dependencies: ["EpisodicMemory", "FileLocks", "Vectors", system], swiftSettings: strict),

    // Serves a memory to models by the Model Context Protocol.
    .target(name: "ContextServer", dependencies: ["EpisodicMemory"], swiftSettings: strict),
    // Carries that protocol by HTTP; sockets are served only with the trait.
    .target(
      name: "ContextServerHTTP",
      dependencies: ["ByteCoding", "ContextServer", "EpisodicMemory", "FileLocks"] + httpServer, swiftSettings: strict),

    // Reads what coding agents log, as episodes.
    .target(
      name: "AgentLogs", dependencies: ["ByteCoding", "EpisodicMemory", "FileLocks", "Interchange"],
      swiftSettings: strict),

    // L4: opens a store; the only re-export.
    .target(
      name: "Episodic",
      dependencies: [
        "AgentLedger", "ByteCoding", "EpisodicMemory", "FileLocks", "Interchange", "MemorySQLite", "MemoryLMDB",
        "StoreRows",
        "Vectors", logging,
        metrics, system,
      ],
      swiftSettings: strict),

    // L5: programs.
    .executableTarget(
      name: "EpisodicCLI",
      dependencies: [
        "AgentLogs", "ContextServer", "ContextServerHTTP", "Episodic", "FileLocks", "ProcessSpawning", "CArrivalOrder",
        arguments, logging,
      ],
      swiftSettings: strict),

    // Tests mirror the sources.
    .target(
      name: "TestSupport",
      dependencies: ["CachePolicy", "EpisodicMemory", "FileLocks", "LMDB", "ProcessSpawning", logging],
      path: "Tests/TestSupport",
      swiftSettings: strict),
    .executableTarget(
      name: "StoreWorker", dependencies: ["Episodic"], path: "Tests/StoreWorker", swiftSettings: strict),
    // What reads bytes from outside, for a test and for libFuzzer.
    .target(
      name: "FuzzTargets",
      dependencies: ["ByteCoding", "EpisodicMemory", "Interchange", "Learning", "StoreValues"],
      path: "Tests/FuzzTargets", swiftSettings: strict),
    .executableTarget(
      name: "Fuzzer", dependencies: ["FuzzTargets"], path: "Tests/Fuzzer", swiftSettings: strict),
    .testTarget(
      name: "FuzzTests",
      dependencies: ["ByteCoding", "FuzzTargets", "StoreRows", "StoreValues", "VectorIndex", "WordIndex"],
      swiftSettings: strict),
    .testTarget(name: "FileLocksTests", dependencies: ["FileLocks", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "LMDBVerifierTests", dependencies: ["LMDB", "LMDBVerifier", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "LMDBTests", dependencies: ["LMDB", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "CachePolicyTests", dependencies: ["CachePolicy", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "VectorsTests", dependencies: ["Heaps", "Vectors"], swiftSettings: strict),
    .testTarget(
      name: "ByteCodingTests", dependencies: ["ByteCoding", "TestSupport"],
      swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
    .testTarget(
      name: "VectorIndexTests", dependencies: ["VectorIndex", "ByteCoding", "Heaps", "LMDB", "Vectors", "TestSupport"],
      swiftSettings: strict),
    .testTarget(name: "LearningTests", dependencies: ["Learning", "ByteCoding", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "WordIndexTests", dependencies: ["WordIndex", "ByteCoding", "LMDB", "TestSupport", "WordScoring"],
      swiftSettings: strict),
    .testTarget(name: "GzipTests", dependencies: ["Gzip", "FileLocks", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "HeapsTests", dependencies: ["Heaps", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ProcessSpawningTests", dependencies: ["ProcessSpawning", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "SQLiteStorageTests", dependencies: ["FileLocks", "SQLiteStorage", "TestSupport", grdb],
      swiftSettings: strict),
    .testTarget(
      name: "StoreValuesTests", dependencies: ["StoreValues", "ByteCoding", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "StoreRowsTests", dependencies: ["StoreRows", "StoreValues", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "EpisodicMemoryTests", dependencies: ["EpisodicMemory", "ByteCoding", "TestSupport"],
      swiftSettings: strict),
    .executableTarget(
      name: "LedgerWorker", dependencies: ["AgentLedger"], path: "Tests/LedgerWorker", swiftSettings: strict),
    .testTarget(
      name: "AgentLedgerTests",
      dependencies: [
        "AgentLedger", "LedgerWorker", "SQLiteStorage", "StoreValues", "TestSupport", grdb, logging, metrics,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LedgerHTTPTests", dependencies: ["AgentLedger", "LedgerHTTP", "TestSupport"], exclude: ["receiver.py"],
      swiftSettings: strict),
    .testTarget(
      name: "InterchangeTests", dependencies: ["Interchange", "EpisodicMemory", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ContextServerTests", dependencies: ["ContextServer", "Episodic", "EpisodicMemory", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "ContextServerHTTPTests",
      dependencies: ["ContextServer", "ContextServerHTTP", "Episodic", "EpisodicMemory", "FileLocks", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "AgentLogsTests", dependencies: ["AgentLogs", "Episodic", "EpisodicMemory", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "MemorySQLiteTests",
      dependencies: ["MemorySQLite", "SQLiteStorage", "EpisodicMemory", "Vectors", "TestSupport", grdb, logging],
      swiftSettings: strict),
    .testTarget(
      name: "MemoryLMDBTests",
      dependencies: [
        "MemoryLMDB", "ByteCoding", "CachePolicy", "EpisodicMemory", "FileLocks", "Heaps", "LMDB", "Vectors",
        "TestSupport", logging,
        metrics,
        metricsTestKit,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EpisodicTests",
      dependencies: [
        "Episodic", "EpisodicMemory", "FileLocks", "LMDB", "Learning", "MemoryLMDB", "MemorySQLite", "StoreWorker",
        "TestSupport",
        "Vectors", grdb, logging, metrics, metricsTestKit, system, tracing[0], tracing[1],
      ],
      exclude: ["Fixtures", "PublicNames.txt"], swiftSettings: strict),
    .testTarget(
      name: "EpisodicCLITests", dependencies: ["EpisodicCLI", "EpisodicMemory", "TestSupport", arguments, grdb],
      exclude: ["http_recorder.py", "mcp_client.py", "real_clients.py"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
