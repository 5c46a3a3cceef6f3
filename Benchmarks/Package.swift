// swift-tools-version: 6.2
import PackageDescription

/// As strict as the library that is measured.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

/// hnswlib chooses its kernels by what it is compiled for, and is measured at its best whatever our own code is built as.
#if arch(x86_64)
  let fast: [CXXSetting] = [.unsafeFlags(["-O3", "-march=native"]), .define("NDEBUG")]
#else
  let fast: [CXXSetting] = [.unsafeFlags(["-O3"]), .define("NDEBUG")]
#endif

let package = Package(
  name: "benchmarks",
  platforms: [.macOS(.v26)],
  products: [.executable(name: "bench", targets: ["EpisodicBench"])],
  traits: [
    .trait(name: "Encryption", description: "Builds the library with its trait, and measures what encryption costs.")
  ],
  dependencies: [
    .package(
      name: "episodic", path: "..",
      traits: [.defaults, .trait(name: "Encryption", condition: .when(traits: ["Encryption"]))]),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // The yardsticks: what SQLite and LMDB do with the same data when nothing stands between them and a C program.
    .target(name: "CRawSQLite", linkerSettings: [.linkedLibrary("sqlite3")]),
    .systemLibrary(
      name: "CYardstickLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
    // hnswlib of the system (Debian: libhnswlib-dev); without it the target is empty and says so.
    .target(name: "CHNSW", cxxSettings: fast),
    // Strikes a program at its system calls, for `bench faults`. Linux only; elsewhere it says so.
    .target(name: "CFaults"),
    // The exact answer, which is too slow to be without optimisation even in a debug build.
    .target(name: "CExactScan", cSettings: [.unsafeFlags(["-O3"])]),
    .executableTarget(
      name: "EpisodicBench",
      dependencies: [
        "CRawSQLite", "CYardstickLMDB", "CHNSW", "CExactScan", "CFaults",
        .product(name: "Episodic", package: "episodic"),
        // Not linked: built beside it, so that `bench faults` strikes the command that these sources make.
        .product(name: "episodic", package: "episodic"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11,
  cxxLanguageStandard: .cxx17
)
