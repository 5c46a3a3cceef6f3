import ArgumentParser

/// The options `--NAME-file` and `--NAME-descriptor`, one of which tells where a secret is: it is never an argument itself.
enum SecretOptions {
  static func validate(_ name: String, file: String?, descriptor: Int32?) throws {
    if file != nil, descriptor != nil {
      throw ValidationError("--\(name)-file and --\(name)-descriptor exclude each other; leave one out")
    }
    if let file { try NonUTF8Arguments.refuse(file, as: "--\(name)-file") }
    if let descriptor, descriptor < 0 {
      throw ValidationError("--\(name)-descriptor is \(descriptor); give the number of an open descriptor, such as 3")
    }
  }
}
