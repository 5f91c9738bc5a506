import { ZmqError } from "../errors.ts";

/** The driver cannot speak this transport. `code`: EPROTONOSUPPORT. */
export class UnsupportedTransportError extends ZmqError {
  override readonly name = "UnsupportedTransportError";
  /** The scheme as it was given, without `://`. */
  readonly transport: string;

  constructor(transport: string) {
    super("EPROTONOSUPPORT", `Transport protocol is not supported: ${transport}`);
    this.transport = transport;
  }
}

/**
 * A message is no event: malformed, over a limit, or with a field missing. `code`: EBADMSG. `cause` is the error
 * underneath, where there is one.
 */
export class DecodeError extends ZmqError {
  override readonly name = "DecodeError";
  /** The message as it was received: a view, valid as long as what it was read from. */
  readonly bytes: Uint8Array;

  constructor(message: string, bytes: Uint8Array, details: { cause?: unknown } = {}) {
    super("EBADMSG", message, details);
    this.bytes = bytes;
  }
}

/** The store has no such row. `code`: ENOENT. */
export class DBKeyNotFoundError extends ZmqError {
  override readonly name = "DBKeyNotFoundError";
  readonly key: string;

  constructor(key: string) {
    super("ENOENT", `DB Key not found, key=${key}`);
    this.key = key;
  }
}

/** An option has a value that it cannot have. `code`: EINVAL. */
export class ConfigError extends ZmqError {
  override readonly name: string = "ConfigError";
  /** The option's name, as its source spells it. */
  readonly option: string;

  constructor(option: string, message: string, details: { cause?: unknown } = {}) {
    super("EINVAL", message, details);
    this.option = option;
  }
}

/** An options object has a key that means nothing. `code`: EINVAL. */
export class UnknownOptionError extends ConfigError {
  override readonly name = "UnknownOptionError";
  /** The known option with the most similar name; absent when none is similar. */
  readonly nearest?: string;

  constructor(option: string, nearest: string | null) {
    super(option, `Unknown option ${option}${nearest === null ? "" : `: did you mean ${nearest}?`}`);
    if (nearest !== null) this.nearest = nearest;
  }
}
