/// A kind of token that is recognisable by its prefix.
struct CredentialShape {
  enum Alphabet {
    case upperCaseAndDigits, alphanumeric, base64URL, base64URLAndDots

    func contains(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "a")...UInt8(ascii: "z"): self != .upperCaseAndDigits
      case UInt8(ascii: "_"), UInt8(ascii: "-"): self == .base64URL || self == .base64URLAndDots
      case UInt8(ascii: "."): self == .base64URLAndDots
      default: false
      }
    }
  }

  let prefix: [UInt8]
  let kind: String
  let alphabet: Alphabet
  /// Number of bytes after the prefix.
  let length: ClosedRange<Int>
  /// A run of letters and dashes alone is more likely a name: `sk-ant-` begins a key, `sk-container-id` a class of HTML.
  let needsDigit: Bool

  private init(
    _ prefix: String, _ kind: String, _ alphabet: Alphabet, _ length: ClosedRange<Int>, needsDigit: Bool = false
  ) {
    self.prefix = Array(prefix.utf8)
    self.kind = kind
    self.alphabet = alphabet
    self.length = length
    self.needsDigit = needsDigit
  }

  /// By the first byte of the prefix; longer prefixes before their own prefixes.
  static let byFirstByte: [[CredentialShape]] = (UInt8.min...UInt8.max).map { byte in
    all.filter { $0.prefix[0] == byte }
  }

  private static let any = Int.max

  /// After the issuers' documentation and the public rules of secret scanners (gitleaks, GitHub secret scanning).
  private static let all: [CredentialShape] = [
    .init("AKIA", "aws-access-key-id", .upperCaseAndDigits, 16...16),
    .init("ASIA", "aws-access-key-id", .upperCaseAndDigits, 16...16),
    .init("github_pat_", "github-token", .base64URL, 40...any),
    .init("ghp_", "github-token", .base64URL, 30...any),
    .init("gho_", "github-token", .base64URL, 30...any),
    .init("ghu_", "github-token", .base64URL, 30...any),
    .init("ghs_", "github-token", .base64URLAndDots, 30...any),
    .init("ghr_", "github-token", .base64URL, 30...any),
    .init("glpat-", "gitlab-token", .base64URLAndDots, 20...any),
    .init("glptt-", "gitlab-token", .base64URL, 20...any),
    .init("gldt-", "gitlab-token", .base64URL, 20...any),
    .init("glrt-", "gitlab-token", .base64URLAndDots, 20...any),
    .init("xoxb-", "slack-token", .base64URL, 10...any, needsDigit: true),
    .init("xoxp-", "slack-token", .base64URL, 10...any, needsDigit: true),
    .init("xoxa-", "slack-token", .base64URL, 10...any, needsDigit: true),
    .init("xoxe-", "slack-token", .base64URL, 10...any, needsDigit: true),
    .init("xoxe.", "slack-token", .base64URLAndDots, 10...any, needsDigit: true),
    .init("xoxr-", "slack-token", .base64URL, 10...any, needsDigit: true),
    .init("xoxs-", "slack-token", .base64URL, 10...any, needsDigit: true),
    .init("xapp-", "slack-token", .base64URL, 10...any, needsDigit: true),
    .init("AIza", "google-api-key", .base64URL, 35...35),
    .init("ya29.", "google-oauth-token", .base64URLAndDots, 20...any),
    .init("GOCSPX-", "google-client-secret", .base64URL, 20...any),
    .init("sk-ant-", "anthropic-api-key", .base64URL, 20...any, needsDigit: true),
    .init("sk-proj-", "openai-api-key", .base64URL, 20...any, needsDigit: true),
    .init("sk-svcacct-", "openai-api-key", .base64URL, 20...any, needsDigit: true),
    .init("sk-admin-", "openai-api-key", .base64URL, 20...any, needsDigit: true),
    .init("sk-or-v1-", "openrouter-api-key", .base64URL, 20...any, needsDigit: true),
    .init("sk-", "openai-api-key", .alphanumeric, 20...any, needsDigit: true),
    .init("sk_live_", "stripe-key", .alphanumeric, 16...any),
    .init("sk_test_", "stripe-key", .alphanumeric, 16...any),
    .init("rk_live_", "stripe-key", .alphanumeric, 16...any),
    .init("rk_test_", "stripe-key", .alphanumeric, 16...any),
    .init("whsec_", "stripe-key", .alphanumeric, 16...any),
    .init("npm_", "npm-token", .alphanumeric, 36...36),
    .init("pypi-", "pypi-token", .base64URL, 50...any, needsDigit: true),
    .init("hf_", "hugging-face-token", .alphanumeric, 30...any),
    .init("dop_v1_", "digitalocean-token", .alphanumeric, 60...any),
    .init("dckr_pat_", "docker-token", .base64URL, 20...any),
    .init("dapi", "databricks-token", .alphanumeric, 32...32, needsDigit: true),
    .init("hvs.", "vault-token", .base64URL, 20...any),
    .init("shpat_", "shopify-token", .alphanumeric, 32...any),
    .init("lin_api_", "linear-api-key", .alphanumeric, 30...any),
    .init("SG.", "sendgrid-api-key", .base64URLAndDots, 60...any),
  ]
}
