#if HTTPServer
  import NIOHTTP1

  /// What a client may cost. The times are for the whole of each: a client that sends a byte now and then does not get more.
  struct ConnectionLimits: Sendable {
    /// Connections at once; more are closed.
    var connections = 128
    /// Bytes of the fields of a head.
    var headBytes = 64 << 10
    /// Fields of a head.
    var headFields = 100
    /// Until the first head is there.
    var firstHead = Duration.seconds(10)
    /// Until the next head. Clients keep connections open, and lose a request that they send while the server closes one.
    var nextHead = Duration.seconds(90)
    /// Until a body is there.
    var body = Duration.seconds(30)
    /// Until the client has taken what is ready.
    var writing = Duration.seconds(30)
    /// For a client to read an answer before it has sent all; otherwise its system may drop the answer.
    var lingering = Duration.seconds(2)

    var decoder: NIOHTTPDecoderLimitConfiguration {
      var limits = NIOHTTPDecoderLimitConfiguration()
      limits.maxHeaderFieldSize = headBytes
      limits.maxHeaderListSize = headBytes
      limits.maxHeaderFieldCount = headFields
      return limits
    }
  }
#endif
