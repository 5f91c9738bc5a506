import { type AddressInfo, isIP, type Socket } from "node:net";
import { ZmqError } from "../errors.ts";
import { formatTcp, parseTcp } from "./endpoint.ts";
import { assertUsable, interfaceAddress } from "./interfaces.ts";
import { closeServer, listen } from "./listen.ts";
import { type Lookup, systemLookup } from "./lookup.ts";
import { NetStream } from "./net-stream.ts";
import { systemError } from "./system-error.ts";
import { dialTcp } from "./tcp-dial.ts";
import { tune } from "./tcp-tuning.ts";
import type { Listener, Stream, Transport, TransportOptions } from "./transport.ts";

/** TCP (EP-1 to EP-4). Host names are resolved by `lookup`, anew for each dial. */
export function createTcp(lookup: Lookup = systemLookup): Transport {
  return {
    check(address, purpose) {
      parseTcp(address, purpose);
    },
    dial: (address, options, done) => dialTcp(address, options, lookup, done),
    async listen(address, options, onStream, onError) {
      try {
        return await listenTcp(address, options, lookup, onStream, onError);
      } catch (error) {
        throw systemError(error, address);
      }
    },
  };
}

export const tcp: Transport = createTcp();

async function listenTcp(
  address: string,
  options: TransportOptions,
  lookup: Lookup,
  onStream: (stream: Stream) => void,
  onError?: (error: ZmqError) => void,
): Promise<Listener> {
  const { host, port } = parseTcp(address, "bind").target;
  const local = await resolveLocal(host, options.ipv6, lookup, address);
  const failed = (error: Error): void => onError?.(systemError(error, address));
  const accepted = (socket: Socket): void => {
    // A connection that was reset while it waited to be accepted has no peer any more.
    if (socket.remoteAddress === undefined || socket.remotePort === undefined) {
      socket.on("error", () => {});
      socket.destroy();
      return;
    }
    tune(socket, options);
    onStream(new NetStream(socket, formatTcp(socket.remoteAddress, socket.remotePort)));
  };
  const server = await listen({ host: local, port, backlog: options.backlog }, accepted, failed);
  const bound = server.address() as AddressInfo;
  // The system's answer leaves out the zone.
  const shown = local.includes("%") ? local : bound.address;
  return { address: formatTcp(shown, bound.port), close: () => closeServer(server) };
}

/** What to listen on: an interface's name comes before a host's. */
async function resolveLocal(host: string, ipv6: boolean, lookup: Lookup, address: string): Promise<string> {
  if (host === "*") return ipv6 ? "::" : "0.0.0.0";
  if (isIP(host) !== 0) {
    assertUsable(host, ipv6, address);
    return host;
  }
  const local = interfaceAddress(host, ipv6);
  if (local !== null) return local;
  return new Promise((resolve, reject) => {
    lookup(host, ipv6 ? 0 : 4, (error, addresses) => {
      const first = addresses?.[0];
      if (error === null && first !== undefined) return resolve(first.address);
      const message = `No such device: "${host}" is neither an interface nor a host that resolves`;
      reject(new ZmqError("ENODEV", message, { address, cause: error }));
    });
  });
}
