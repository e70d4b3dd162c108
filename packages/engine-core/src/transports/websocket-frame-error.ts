/** A peer has broken the rules of RFC 6455, or sent more than it may. */
export class FrameError extends RangeError {
  /** The same strings as npm `ws` has for the same faults. */
  readonly code: string;
  /** The status code that the peer is told (section 7.4.1). */
  readonly closeCode: number;

  private constructor(closeCode: number, code: string, message: string) {
    super(message);
    this.closeCode = closeCode;
    this.code = code;
  }

  /** A frame that is against the protocol. */
  static invalid(code: string, what: string): FrameError {
    return new FrameError(1002, code, `Invalid WebSocket frame: ${what}`);
  }

  /** Text, or the reason of a close, that is not UTF-8. */
  static invalidText(): FrameError {
    const message = "Invalid WebSocket frame: invalid UTF-8 sequence";
    return new FrameError(1007, "WS_ERR_INVALID_UTF8", message);
  }

  /** A message above the limit of the server (behaviour 63). */
  static tooLarge(): FrameError {
    return new FrameError(1009, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", "Max payload size exceeded");
  }

  /** A length that no number of JavaScript can hold. */
  static unsupportedLength(): FrameError {
    const message = "Unsupported WebSocket frame: payload length > 2^53 - 1";
    return new FrameError(1009, "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", message);
  }
}
