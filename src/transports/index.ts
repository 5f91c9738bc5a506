export { schemeOf } from "./endpoint.ts";
export { ipc } from "./ipc.ts";
export { Redial, type RedialClock, type RedialHandler, type RedialOptions } from "./redial.ts";
export { tcp } from "./tcp.ts";
export { createTls, type TlsOptions } from "./tls.ts";
export { checkTlsOptions } from "./tls-options.ts";
export type {
  Dial,
  Listener,
  Stream,
  StreamHandler,
  Transport,
  TransportOptions,
} from "./transport.ts";
