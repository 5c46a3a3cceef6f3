.PHONY: setup build demo test bench check docs format install uninstall screens page release

# Runs the main workflow once from an empty store: record, recall, read cold and warm, delete the cache, read again.
demo: release
	.ci/demo .build/release/episodic

# Runs every test. With EPISODIC_SOAK_SECONDS=60 the tests with several processes run for a minute.
# Most tests open their own store: eight at a time stay below the limit of 1,024 open files of many systems.
test: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 8
test: setup
	swift build --build-tests
	.ci/test

# Measures; `swift run -c release --package-path Benchmarks bench --help` lists the rest.
bench: setup
	swift run -c release --package-path Benchmarks bench reads
	swift run -c release --package-path Benchmarks bench writes
	swift run -c release --package-path Benchmarks bench text --documents 100000
	swift run -c release --package-path Benchmarks bench coherence --processes 6 --seconds 60 --kills

# Checks the format and undeclared imports, builds the benchmarks, the documentation and a client package, and checks that
# the cache is coherent under kills and that the command survives faults injected into its system calls.
check: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 8
check: setup
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources
	swift build --build-tests --explicit-target-dependency-import-check error
	swift test --traits Tracing,Passwords,HTTPSink,HTTPServer,Encryption --scratch-path .build/traits --filter "TracingTests|LedgerHTTPTests|ContextServerHTTPTests|Passwords of people|Signatures of an audit|Encrypt|MemoryModelTests|KeysCommandTests|MCPHTTPCommandTests"
	swift build --package-path Benchmarks
	swift run --skip-build --package-path Benchmarks bench coherence --processes 6 --seconds 10 --kills
	swift run --skip-build --package-path Benchmarks bench faults --seconds 100
	.ci/docs .build/debug .build/documentation
	.ci/client

# Builds the documentation, warnings as errors: .build/documentation/Episodic.doccarchive, for any static web server.
docs: setup
	swift build --target Episodic
	.ci/docs .build/debug .build/documentation

# Installs the command, its manual pages and its completions of bash, zsh and fish below PREFIX, and DESTDIR before it.
# EPISODIC names a command that is built already.
PREFIX ?= /usr/local
EPISODIC ?= .build/release/episodic
install: $(if $(filter .build/release/episodic,$(EPISODIC)),release)
	.ci/install "$(EPISODIC)" "$(DESTDIR)$(PREFIX)"

uninstall:
	.ci/install --remove "$(DESTDIR)$(PREFIX)"

# Makes the page of figures of a demonstration store, and its pictures if there is a Chromium.
page: $(if $(filter .build/release/episodic,$(EPISODIC)),release)
	.ci/page "$(EPISODIC)" .build/page

# Makes the screens of the documentation: recall, list, show and stats at 80 and 140 columns.
SCREENS ?= .build/screens
screens: $(if $(filter .build/release/episodic,$(EPISODIC)),release)
	.ci/screens "$(EPISODIC)" "$(SCREENS)"

# On Linux the standard library is linked in: the command starts in half the time, and runs without a toolchain.
release: setup
	swift build -c release --product episodic $(if $(filter Linux,$(shell uname)),--static-swift-stdlib)

format:
	swift format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

# Installs the three C libraries if they are missing.
setup:
	@.ci/setup
