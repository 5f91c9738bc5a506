import { bool, int32, type OptionTable } from "./option-rules.ts";

/** Options of a context. */
export interface ContextOptions {
  /** false: new sockets have a `linger` of 0. Default true. ZMQ_BLOCKY. */
  blocky: boolean;
  /** Whether new sockets have `ipv6`. Default false. ZMQ_IPV6. */
  ipv6: boolean;
  /** Sockets at a time; one more is EMFILE. Takes effect at once. Default 1023. ZMQ_MAX_SOCKETS. */
  maxSockets: number;
  /** Without effect: there are no I/O threads. Default 1. ZMQ_IO_THREADS. */
  ioThreads: number;
  /** Without effect; what a socket takes in has limits of its own. Bytes. Default 2147483647. ZMQ_MAX_MSGSZ. */
  maxMessageSize: number;
}

/** Options of a context that can only be set, as in zeromq.js. */
export interface ThreadOptions {
  /** Without effect: there are no I/O threads. ZMQ_THREAD_PRIORITY. */
  threadPriority: number;
  /** Without effect: there are no I/O threads. ZMQ_THREAD_SCHED_POLICY. */
  threadSchedulingPolicy: number;
}

export const CONTEXT_OPTIONS: OptionTable<ContextOptions> = {
  blocky: bool({ initial: true, effect: "next", libzmq: "BLOCKY" }),
  ipv6: bool({ initial: false, effect: "next", libzmq: "IPV6" }),
  maxSockets: int32({ initial: 1023, min: 1, effect: "now", libzmq: "MAX_SOCKETS" }),
  ioThreads: int32({ initial: 1, min: 0, effect: "never", libzmq: "IO_THREADS" }),
  maxMessageSize: int32({
    initial: 2 ** 31 - 1,
    min: 0,
    unit: "bytes",
    effect: "never",
    libzmq: "MAX_MSGSZ",
  }),
};

export const THREAD_OPTIONS: OptionTable<ThreadOptions> = {
  threadPriority: int32({ initial: 0, min: 0, effect: "never", libzmq: "THREAD_PRIORITY" }),
  threadSchedulingPolicy: int32({ initial: 0, min: 0, effect: "never", libzmq: "THREAD_SCHED_POLICY" }),
};
