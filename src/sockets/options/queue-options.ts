import {
  INEFFECTIVE_RECEIVE_OPTIONS,
  INEFFECTIVE_SEND_OPTIONS,
  type IneffectiveReceiveOptions,
  type IneffectiveSendOptions,
} from "./ineffective-options.ts";
import { bool, choice, int32, int64, type OptionTable } from "./option-rules.ts";

/** Options of sockets that send. Where nothing else is said, they take effect at once. */
export interface SendOptions extends IneffectiveSendOptions {
  /** Messages queued per peer before `send` waits (PUSH) or drops (PUB); 0: no limit. Default 1000. ZMQ_SNDHWM. */
  sendHighWaterMark: number;
  /** Bytes queued per peer, each part counted with 64 more, with the same effect; 0: no limit. Default 0. */
  sendHighWaterMarkBytes: number;
  /** ms that `send` waits for room; 0: not at all, -1: for ever. Then it rejects with EAGAIN. Default -1. ZMQ_SNDTIMEO. */
  sendTimeout: number;
}

/** Options of sockets that receive. Where nothing else is said, they take effect at once. */
export interface ReceiveOptions extends IneffectiveReceiveOptions {
  /** Messages queued per peer before we stop reading from it, so that TCP holds it up; 0: no limit. Default 1000. ZMQ_RCVHWM. */
  receiveHighWaterMark: number;
  /** Bytes queued per peer, each part counted with 64 more, with the same effect; 0: no limit. Default 0. */
  receiveHighWaterMarkBytes: number;
  /** ms that `receive` waits; 0: not at all, -1: for ever. Then it rejects with EAGAIN. Default -1. ZMQ_RCVTIMEO. */
  receiveTimeout: number;
}

/** Options of PUB. They take effect at once. */
export interface OverflowOptions {
  /**
   * What happens to a subscriber whose queue is full: it misses messages, which are counted ("drop"), or it loses its
   * connection, so that it knows ("disconnect"). Default "drop".
   */
  overflow: "drop" | "disconnect";
}

/** Options of PUB, SUB, PUSH and PULL. */
export interface ConflateOptions {
  /**
   * Queues hold the last message only, whatever the high-water marks: a newer one takes the place of an older, which is counted as
   * dropped. For what is bound or dialled from then on. Default false. ZMQ_CONFLATE, which keeps the last part only.
   */
  conflate: boolean;
}

export const SEND_OPTIONS: OptionTable<SendOptions> = {
  sendHighWaterMark: int32({ initial: 1000, min: 0, unit: "messages", effect: "now", libzmq: "SNDHWM" }),
  sendHighWaterMarkBytes: int64({ initial: 0, min: 0, unit: "bytes", effect: "now" }),
  sendTimeout: int32({ initial: -1, unit: "ms", effect: "now", libzmq: "SNDTIMEO" }),
  ...INEFFECTIVE_SEND_OPTIONS,
};

export const RECEIVE_OPTIONS: OptionTable<ReceiveOptions> = {
  receiveHighWaterMark: int32({ initial: 1000, min: 0, unit: "messages", effect: "now", libzmq: "RCVHWM" }),
  receiveHighWaterMarkBytes: int64({ initial: 0, min: 0, unit: "bytes", effect: "now" }),
  receiveTimeout: int32({ initial: -1, unit: "ms", effect: "now", libzmq: "RCVTIMEO" }),
  ...INEFFECTIVE_RECEIVE_OPTIONS,
};

export const OVERFLOW_OPTIONS: OptionTable<OverflowOptions> = {
  overflow: choice(["drop", "disconnect"], { initial: "drop", effect: "now" }),
};

export const CONFLATE_OPTIONS: OptionTable<ConflateOptions> = {
  conflate: bool({ initial: false, effect: "next", libzmq: "CONFLATE" }),
};
