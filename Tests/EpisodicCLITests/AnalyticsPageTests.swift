import Foundation
import TestSupport
import Testing

@testable import EpisodicCLI

@Suite struct `The page of figures` {
  let episodic: CommandLineTool
  private let past = try? `Stats of the past`()

  init() throws { episodic = try #require(past).episodic }

  private func page(_ arguments: String...) throws -> String {
    try episodic.run(["stats"] + `Stats of the past`.time + ["--html", "-"] + arguments).output
  }

  @Test func `loads nothing, runs nothing, and says so`() throws {
    let html = try page("--by", "domain")
    #expect(html.contains("default-src 'none'; style-src 'unsafe-inline'"))
    for part in ["<script", "src=", "href=", "url(", "@import", "http:", "javascript:", "<iframe", "<link"] {
      #expect(!html.lowercased().contains(part), "\(part)")
    }
    #expect(html.firstMatch(of: /\son[a-z]+=/) == nil)
  }

  @Test func `escapes every name`() throws {
    let html = try page("--by", "domain")
    #expect(html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;"), "the domain is not shown")
    #expect(!html.contains("\u{202e}") && !html.contains("<script>"))
  }

  @Test func `every element that is opened is closed`() throws {
    for arguments in [["--by", "domain"], ["--domain", "web"], ["--by", "tool"]] {
      let html = try episodic.run(["stats"] + `Stats of the past`.time + ["--html", "-"] + arguments).output
      var open: [Substring] = []
      let body = html.replacing(/<style>(?s:.*?)<\/style>/, with: "")
      for match in body.matches(of: /<(\/?)([a-z0-9]+)((?:[^<>"]|"[^"]*")*?)(\/?)>/) {
        let (_, isEnd, name, _, isEmpty) = match.output
        if name == "meta" || !isEmpty.isEmpty { continue }
        if isEnd.isEmpty { open.append(name) } else { #expect(open.popLast() == name, "\(match.0)") }
      }
      #expect(open.isEmpty, "\(open)")
    }
  }

  @Test func `each plot has a name and its numbers in a table`() throws {
    let html = try page("--by", "domain")
    let plots = html.matches(of: /<svg [^>]*role="img" aria-label="([^"]+)"/).map { $0.1 }
    #expect(plots.count >= 4 && html.matches(of: /<details>/).count >= 4, "\(plots)")
    #expect(html.contains("prefers-color-scheme:dark") && html.contains("@media print"))
  }

  @Test func `of a store without episodes is whole`() throws {
    let html = try episodic.run(
      ["stats", "--since", "2020-01-01", "--until", "2020-01-02", "--html", "-"]
    ).output
    #expect(html.contains("none has ended") && html.hasSuffix("</html>\n") && !html.contains("nan"))
  }

  static let sizes = [(1280, 900), (390, 844)]

  @Test(
    .enabled(if: Programs.find("chromium", "chromium-browser", "google-chrome") != nil, "Chromium is not installed"),
    arguments: sizes)
  func `is drawn by Chromium in any width without overflow or message of an error`(width: Int, height: Int) throws {
    let browser = try #require(Programs.find("chromium", "chromium-browser", "google-chrome"))
    try episodic.run(["stats"] + `Stats of the past`.time + ["--by", "domain", "--html", "report.html"])
    // The page around it has a script, which measures; the page itself may have none.
    let frame = """
      <!doctype html><body style="margin:0"><iframe id="f" style="border:0;width:\(width)px;height:\(height)px"></iframe>
      <script>
      addEventListener('load', async () => {
        const f = document.getElementById('f')
        f.srcdoc = atob(`PAGE`)
        await new Promise(r => f.onload = r)
        const d = f.contentDocument, e = d.documentElement
        const wide = [...d.querySelectorAll('.card,.tile,header,footer')].filter(n => n.scrollWidth > n.clientWidth + 1)
        document.body.innerHTML = `measured ${e.scrollWidth <= e.clientWidth} ${wide.length} ` +
          `${d.querySelectorAll('svg').length} ${d.querySelector('.card').getBoundingClientRect().width > 200} `
      })
      </script>
      """
    let page = try Data(contentsOf: URL(filePath: episodic.path("report.html")))
    let file = try episodic.file("frame.html", frame.replacing("PAGE", with: page.base64EncodedString()))
    let result = try episodic.shell(
      """
      \(browser) --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir=profile \
      --enable-logging=stderr --v=0 --virtual-time-budget=3000 --window-size=\(max(width, 500)),\(height) --dump-dom 'file://\(file)'
      """)
    #expect(result.output.contains(/measured true 0 \d+ true/), "\(result.output.suffix(600))")
    let messages = result.errors.split(separator: "\n").filter { $0.contains("CONSOLE") }
    #expect(messages.isEmpty, "\(messages)")
  }
}
