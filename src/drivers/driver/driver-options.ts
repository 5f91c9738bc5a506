import { ZmqError } from "../../errors.ts";
import type { Context } from "../../sockets/index.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { ConfigError, UnsupportedTransportError } from "../errors.ts";
import type { EventFrames } from "./api.ts";
import type { OnError } from "./reporter.ts";

/** Options of a driver: a configuration, of which each uses what concerns it, and what no file can hold. */
export interface DriverOptions extends Partial<Config> {
  /** Hears of what went wrong and was coped with. Default: a process warning, at most one in ten seconds. */
  onError?: OnError;
  /** The runtime. Default: the process's own. */
  context?: Context;
}

/**
 * Checks and completes options. Neither environment nor file is looked at.
 *
 * @throws {UnknownOptionError} for a key that means nothing. {@link ConfigError} EINVAL for a bad value.
 */
export function resolveDriverOptions(given: DriverOptions): Config & Pick<DriverOptions, "onError"> {
  if (typeof given !== "object" || given === null) throw new TypeError("Options must be an object");
  const { onError, context: _, ...values } = given;
  if (onError !== undefined && typeof onError !== "function")
    throw new TypeError("onError must be a function");
  return { ...loadConfig({ env: {}, values }), ...(onError !== undefined && { onError }) };
}

export type ResolvedDriverOptions = ReturnType<typeof resolveDriverOptions>;

/** `tcp` is what there is; `epgm` is allowed by Dragonflow and not there yet; all else is not. */
export function checkTransport(transport: string): void {
  if (transport === "epgm") throw new ConfigError("publisherTransport", "epgm is not supported yet; use tcp");
  if (transport !== "tcp") throw new UnsupportedTransportError(transport);
}

/**
 * An event over the limit would cost whoever receives it the connection.
 *
 * @throws {ZmqError} EMSGSIZE. {@link TypeError} when it is not two frames of bytes.
 */
export function checkFrames(frames: EventFrames, maxMessageSize: number): void {
  if (!isEvent(frames)) throw new TypeError("an event must be two Uint8Arrays, topic and payload");
  for (const { length } of frames)
    if (isOver(length, maxMessageSize))
      throw new ZmqError("EMSGSIZE", `a frame of ${length} bytes is over maxMessageSize, ${maxMessageSize}`);
}

/** Whether {@link checkFrames} would not throw. */
export function fits(frames: EventFrames, maxMessageSize: number): boolean {
  if (!isEvent(frames)) return false;
  return !isOver(frames[0].length, maxMessageSize) && !isOver(frames[1].length, maxMessageSize);
}

function isEvent(frames: EventFrames): boolean {
  if (!Array.isArray(frames) || frames.length !== 2) return false;
  return frames[0] instanceof Uint8Array && frames[1] instanceof Uint8Array;
}

function isOver(length: number, maxMessageSize: number): boolean {
  return maxMessageSize !== -1 && length > maxMessageSize;
}
