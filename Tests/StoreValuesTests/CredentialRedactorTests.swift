import StoreValues
import Testing

@Suite struct `Redaction of credentials` {
  /// Put together here, so that no scanner of secrets takes this file for a leak.
  private static let letters = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3"
  private static func token(_ prefix: String, _ count: Int) -> String { prefix + String(letters.prefix(count)) }
  private static let web = ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTYifQ", "c2lnbmF0dXJl"].joined(separator: ".")

  private static let tokens: [(String, String)] = [
    ("AKIA" + "IOSFODNN7EXAMPLE", "aws-access-key-id"), ("ASIA" + "IOSFODNN7EXAMPLE", "aws-access-key-id"),
    (token("ghp_", 36), "github-token"), (token("gho_", 36), "github-token"), (token("ghs_", 36), "github-token"),
    (token("ghu_", 36), "github-token"), (token("github_pat_", 59), "github-token"),
    (token("glpat-", 20), "gitlab-token"), (token("xoxb-", 30), "slack-token"), (token("AIza", 35), "google-api-key"),
    (token("sk-", 48), "openai-api-key"), (token("sk-proj-", 60), "openai-api-key"),
    (token("sk-ant-", 40), "anthropic-api-key"), (token("sk_live_", 24), "stripe-key"),
    (token("npm_", 36), "npm-token"), (token("pypi-", 60), "pypi-token"), (web, "json-web-token"),
  ]

  @Test(arguments: tokens) func `a token is replaced at any position, and nothing else is`(
    secret: String, kind: String
  ) {
    for (before, after) in [
      ("", ""), ("token ", " was used"), ("\"", "\""), ("(", ")."), ("a\n", "\nb"), ("\\n", "\\n"),
      ("\u{1B}[31m", "\u{1B}[0m"), ("é", "é"), ("https://x.example/?t=", "&u=1"),
    ] {
      let (text, count) = CredentialRedactor.redact(before + secret + after)
      #expect(text == "\(before)[redacted:\(kind)]\(after)" && count == 1, "\(before)…\(after)")
    }
  }

  @Test(arguments: [
    ("password=hunter2", "password=[redacted:password]"),
    ("PGPASSWORD='two words' psql", "PGPASSWORD='[redacted:password]' psql"),
    ("env 'DB_PASSWORD=two words' psql", "env 'DB_PASSWORD=[redacted:password]' psql"),
    (#"{"password": "hunter2", "user": "me"}"#, #"{"password": "[redacted:password]", "user": "me"}"#),
    (#""{\"apiKey\":\"abc123\"}""#, #""{\"apiKey\":\"[redacted:api-key]\"}""#),
    ("api_key: abcdef0123", "api_key: [redacted:api-key]"), ("X-Api-Key: abcdef0123", "X-Api-Key: [redacted:api-key]"),
    ("tool --token abc --verbose", "tool --token [redacted:token] --verbose"),
    ("tool --password 'two words' x", "tool --password '[redacted:password]' x"),
    ("tool --client-secret=abc", "tool --client-secret=[redacted:secret]"),
    ("GET /?access_token=abc&page=2", "GET /?access_token=[redacted:token]&page=2"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx", "aws_secret_access_key = [redacted:secret]"),
    ("Authorization: Bearer abc.def", "Authorization: Bearer [redacted:authorization]"),
    ("curl -H 'Authorization: Basic dXNlcjpwYXNz' x", "curl -H 'Authorization: Basic [redacted:authorization]' x"),
    (#""authorization": "token abcdef""#, #""authorization": "token [redacted:authorization]""#),
    ("sent Bearer 0123456789abcdef0123", "sent Bearer [redacted:bearer-token]"),
    ("git clone https://me:hunter2@example.com/x", "git clone https://me:[redacted:password]@example.com/x"),
    ("postgres://u:p@ss@db:5432/x", "postgres://u:[redacted:password]@db:5432/x"),
  ]) func `a value after the name of a secret is replaced`(text: String, expected: String) {
    let (redacted, count) = CredentialRedactor.redact(text)
    #expect(redacted == expected)
    #expect(count == 1)
  }

  @Test(arguments: [
    "the password is wrong", "password: incorrect", "Enter password:", "password=", "password=$DB_PASSWORD",
    "password=${DB_PASSWORD}", "token: <your token>", "token = next()", "token=parser.next(1)", "secret=****",
    "token=token", "password=password", "password=db_password", "max_tokens=4096", "token: 42",
    "unexpected token: else", "\"password\": \"must be at least 8 characters\"", "\"token\": null", "PWD=/home/me",
    "if token == other", "passwords=3 tokens=17", "--token TOKEN   the token to use", "--password string  the password",
    "https://example.com:8080/a@b", "https://me@example.com/", "ssh://git@github.com:22/x", "http://[::1]:80/",
    "sk-learn", "class=\"sk-estimator-html-doc-link\"", "risk-aB3dE5fG7hJ9kL1mN3pQ5", "AKIA", "AKIAIOSFODNN7EXAMPLE0",
    "xAKIAIOSFODNN7EXAMPLE", "ghp_short", "npm_config_registry", "npm_lifecycle_event_and_much_more_of_the_same",
    "pypi-server-for-the-rest-of-us-and-everybody-else-here", "eyJhbGciOiJIUzI1NiJ9", "eyJ.eyJ.x", "hf_hub_download",
    "bearer of bad news that came from everywhere", "Bearer authentication-is-required", "-----BEGIN CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "0193e0a4-5a7c-7b1e-8f00-3c2a9d4e5f60", "xoxb-is-a-prefix", "Authorization: required", "[redacted:github-token]",
    "password=[redacted:password]", "https://me:[redacted:password]@example.com/", "DEBUG: token=, password=",
  ]) func `text that only resembles a credential is not replaced`(text: String) {
    let (redacted, count) = CredentialRedactor.redact(text)
    #expect(redacted == text)
    #expect(count == 0)
  }

  @Test(arguments: ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY"])
  func `a private key is replaced whole, and one that is cut off to its last line`(label: String) {
    let lines = (0..<20).map { _ in Self.letters }.joined(separator: "\n")
    let key = "-----BEGIN \(label)-----\n\(lines)\n-----END \(label)-----"
    #expect(CredentialRedactor.redact("a\n\(key)\nb") == ("a\n[redacted:private-key]\nb", 1))
    let json = "{\"k\": \"\(key.replacing("\n", with: "\\n"))\\n\"}"
    #expect(CredentialRedactor.redact(json) == ("{\"k\": \"[redacted:private-key]\\n\"}", 1))
    #expect(
      CredentialRedactor.redact("-----BEGIN \(label)-----\n\(lines)\nand so on") == (
        "[redacted:private-key]and so on", 1
      ))
  }

  @Test func `several credentials are each replaced and counted`() {
    let key = Self.token("ghp_", 36)
    let (text, count) = CredentialRedactor.redact("\(key) \(key)\npassword=x1y https://a:b@c")
    #expect(
      text
        == "[redacted:github-token] [redacted:github-token]\npassword=[redacted:password] https://a:[redacted:password]@c"
    )
    #expect(count == 4)
  }

  @Test func `redacted text is not changed again`() {
    let everything = Self.tokens.map(\.0).joined(separator: " ") + " password=abc Authorization: Bearer abcdef"
    let once = CredentialRedactor.redact(everything).text
    #expect(CredentialRedactor.redact(once) == (once, 0))
  }

  /// Each of these makes a scanner that reads ahead from every position quadratic: 100,000 bytes would take many minutes.
  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      "password=", "token:", "eyJ", "eyJaaaaaaaaaa.", "://a:", "-----BEGIN PRIVATE KEY-----", "Bearer ", "sk-",
      "'token='",
      "--token ", "eyJ-", "sk-proj-", "xoxb-", "authorization:", "\"token\":\"", "\\", "\u{1B}[", "a", "=", ":", "ghp_",
      "Authorization: ",
    ]) func `hostile repetition takes linear time`(unit: String)
  {
    let text = String(repeating: unit, count: 100_000 / unit.utf8.count)
    #expect(CredentialRedactor.redact(text).text.utf8.count <= text.utf8.count * 8)
  }
}
