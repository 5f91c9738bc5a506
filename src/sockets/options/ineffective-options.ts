import { bool, int32, type OptionTable, text, uint64 } from "./option-rules.ts";

/**
 * Options of zeromq.js that every socket has, and that nothing comes of here: Node offers no way, or there is no such transport. They
 * are checked and kept, so that a program that sets them runs.
 */
export interface IneffectiveOptions {
  /** Without effect: there are no I/O threads. A bit mask. Default 0. ZMQ_AFFINITY. */
  affinity: number;
  /** Without effect: there is no multicast. kbit/s. Default 100. ZMQ_RATE. */
  rate: number;
  /** Without effect: there is no multicast. ms. Default 10000. ZMQ_RECOVERY_IVL. */
  recoveryInterval: number;
  /** Without effect: there is no multicast. Bytes. Default 1500. ZMQ_MULTICAST_MAXTPDU. */
  multicastMaxTransportDataUnit: number;
  /** Without effect: Node does not set it. TCP keep-alive probes; -1: the system's. Default -1. ZMQ_TCP_KEEPALIVE_CNT. */
  tcpKeepaliveCount: number;
  /** Without effect: Node does not set it. Seconds; -1: the system's. Default -1. ZMQ_TCP_KEEPALIVE_INTVL. */
  tcpKeepaliveInterval: number;
  /** Without effect: Node does not set it. ms; 0: the system's. Default 0. ZMQ_TCP_MAXRT. */
  tcpMaxRetransmitTimeout: number;
  /** Without effect: Node does not set it. The byte in the IP header. Default 0. ZMQ_TOS. */
  typeOfService: number;
  /** Without effect: Node does not bind to a device. Default null. ZMQ_BINDTODEVICE. */
  interface: string | null;
  /** Without effect, as in libzmq on all but Windows. Default false. ZMQ_LOOPBACK_FASTPATH. */
  loopbackFastPath: boolean;
  /** Without effect: there is no VMCI. Bytes. Default 65546. ZMQ_VMCI_BUFFER_SIZE. */
  vmciBufferSize: number;
  /** Without effect: there is no VMCI. Bytes. Default 128. ZMQ_VMCI_BUFFER_MIN_SIZE. */
  vmciBufferMinSize: number;
  /** Without effect: there is no VMCI. Bytes. Default 262144. ZMQ_VMCI_BUFFER_MAX_SIZE. */
  vmciBufferMaxSize: number;
  /** Without effect: there is no VMCI. ms; -1: the system's. Default -1. ZMQ_VMCI_CONNECT_TIMEOUT. */
  vmciConnectTimeout: number;
}

/** The same for sockets that send. */
export interface IneffectiveSendOptions {
  /** Without effect: Node does not set it. Bytes; -1: the system's. Default -1. ZMQ_SNDBUF. */
  sendBufferSize: number;
  /** Without effect: there is no multicast. Routers on the way, at most. Default 1. ZMQ_MULTICAST_HOPS. */
  multicastHops: number;
}

/** The same for sockets that receive. */
export interface IneffectiveReceiveOptions {
  /** Without effect: Node does not set it. Bytes; -1: the system's. Default -1. ZMQ_RCVBUF. */
  receiveBufferSize: number;
}

export const INEFFECTIVE_OPTIONS: OptionTable<IneffectiveOptions> = {
  affinity: uint64({ initial: 0, effect: "never", libzmq: "AFFINITY" }),
  rate: int32({ initial: 100, min: 1, unit: "kbit/s", effect: "never", libzmq: "RATE" }),
  recoveryInterval: int32({ initial: 10_000, min: 0, unit: "ms", effect: "never", libzmq: "RECOVERY_IVL" }),
  multicastMaxTransportDataUnit: int32({
    initial: 1500,
    min: 1,
    unit: "bytes",
    effect: "never",
    libzmq: "MULTICAST_MAXTPDU",
  }),
  tcpKeepaliveCount: int32({ initial: -1, effect: "never", libzmq: "TCP_KEEPALIVE_CNT" }),
  tcpKeepaliveInterval: int32({ initial: -1, unit: "s", effect: "never", libzmq: "TCP_KEEPALIVE_INTVL" }),
  tcpMaxRetransmitTimeout: int32({ initial: 0, min: 0, unit: "ms", effect: "never", libzmq: "TCP_MAXRT" }),
  typeOfService: int32({ initial: 0, min: 0, effect: "never", libzmq: "TOS" }),
  interface: text({ initial: null, effect: "never", libzmq: "BINDTODEVICE" }),
  loopbackFastPath: bool({ initial: false, effect: "never", libzmq: "LOOPBACK_FASTPATH" }),
  vmciBufferSize: uint64({ initial: 65_546, unit: "bytes", effect: "never", libzmq: "VMCI_BUFFER_SIZE" }),
  vmciBufferMinSize: uint64({ initial: 128, unit: "bytes", effect: "never", libzmq: "VMCI_BUFFER_MIN_SIZE" }),
  vmciBufferMaxSize: uint64({
    initial: 262_144,
    unit: "bytes",
    effect: "never",
    libzmq: "VMCI_BUFFER_MAX_SIZE",
  }),
  vmciConnectTimeout: int32({ initial: -1, unit: "ms", effect: "never", libzmq: "VMCI_CONNECT_TIMEOUT" }),
};

export const INEFFECTIVE_SEND_OPTIONS: OptionTable<IneffectiveSendOptions> = {
  sendBufferSize: int32({ initial: -1, unit: "bytes", effect: "never", libzmq: "SNDBUF" }),
  multicastHops: int32({ initial: 1, min: 1, effect: "never", libzmq: "MULTICAST_HOPS" }),
};

export const INEFFECTIVE_RECEIVE_OPTIONS: OptionTable<IneffectiveReceiveOptions> = {
  receiveBufferSize: int32({ initial: -1, unit: "bytes", effect: "never", libzmq: "RCVBUF" }),
};
