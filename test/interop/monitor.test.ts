import { afterEach, describe, expect, it } from "vitest";
import * as zeromq from "zeromq";
import * as zmtp from "../../src/index.ts";
import { useIpcAddresses } from "../support/folder.ts";
import { stableAddress } from "../support/ports.ts";
import { until } from "../support/wait.ts";
import { bytes } from "./peers/bytes.ts";
import { useRawPeers } from "./peers/raw-peer.ts";

interface Told {
  type: string;
  address?: string;
  interval?: number;
  error?: Error & { code?: string; status?: number };
}

/** What the two libraries have in common here. */
interface Observed {
  readonly events: AsyncIterable<Told>;
  readonly lastEndpoint: string | null;
  bind(address: string): Promise<void>;
  connect(address: string): void;
  close(): unknown;
}

type Library = Record<"Push" | "Pull" | "Publisher", new (options: object) => Observed>;
const LIBRARIES = {
  ours: zmtp as unknown as Library,
  libzmq: zeromq as unknown as Library,
};
type Name = keyof typeof LIBRARIES;
const PAIRS: readonly [Name, Name][] = [
  ["ours", "ours"],
  ["ours", "libzmq"],
  ["libzmq", "ours"],
  ["libzmq", "libzmq"],
];

const openSockets: Observed[] = [];
afterEach(() => Promise.all(openSockets.splice(0).map((socket) => socket.close())));

/** A socket of either library, and all that it tells. */
function open(library: Name, kind: keyof Library, options: object = {}): Watched {
  const socket = new LIBRARIES[library][kind]({ linger: 0, reconnectInterval: 20, ...options });
  openSockets.push(socket);
  return new Watched(socket);
}

class Watched {
  readonly socket: Observed;
  readonly told: Told[] = [];
  readonly ended: Promise<void>;

  constructor(socket: Observed) {
    this.socket = socket;
    this.ended = this.#read();
  }

  async #read(): Promise<void> {
    for await (const event of this.socket.events) this.told.push(event);
  }

  get types(): string[] {
    return this.told.map((event) => event.type);
  }

  /** Waits until it has told as much as is expected, and compares. */
  async expect(types: readonly string[]): Promise<void> {
    await until(`${types.join()} is told, not ${this.types.join()}`, () => this.told.length >= types.length);
    expect(this.types.slice(0, types.length)).toEqual(types);
  }

  async heard(type: string): Promise<void> {
    await until(`${type} is told, not ${this.types.join()}`, () => this.types.includes(type));
  }

  /** Every address told is this one, but where libzmq leaves it out. */
  expectAddress(address: string): void {
    for (const event of this.told) {
      if (event.type === "end") expect(event).toEqual({ type: "end" });
      else expect(event.address).toBe(address);
      if (event.type === "connect:retry") expect(event.interval).toBeGreaterThanOrEqual(20);
    }
  }
}

function isWithin(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const one of whole) if (one === part[at]) at += 1;
  return at === part.length;
}

const newIpc = useIpcAddresses();
const TRANSPORTS = {
  tcp: { address: stableAddress, delay: ["connect:delay"] },
  ipc: { address: async () => newIpc(), delay: [] },
};

describe.each(["tcp", "ipc"] as const)("MO-1, MO-3, MO-5 over %s: as with libzmq", (transport) => {
  const { address: newAddress, delay } = TRANSPORTS[transport];

  it.each(PAIRS)("connected, then the listener closes: %s dials %s", async (dials, listens) => {
    const address = await newAddress();
    const pull = open(listens, "Pull");
    const push = open(dials, "Push");
    await pull.socket.bind(address);
    push.socket.connect(address);
    await Promise.all([pull.heard("handshake"), push.heard("handshake")]);
    await pull.socket.close();
    await pull.ended;
    expect(pull.types).toEqual(["bind", "accept", "handshake", "close", "end"]);
    await push.expect([...delay, "connect", "handshake", "disconnect", "connect:retry"]);
    await push.socket.close();
    await push.ended;
    expect(push.told.at(-1)).toEqual({ type: "end" });
    pull.expectAddress(address);
    push.expectAddress(address);
    expect(pull.told.slice(0, 3)).toEqual(["bind", "accept", "handshake"].map((type) => ({ type, address })));
    const connected = push.told.filter(({ type }) => type === "connect" || type === "handshake");
    expect(connected).toEqual([
      { type: "connect", address },
      { type: "handshake", address },
    ]);
  });

  it.each(PAIRS)("connected, then the dialler closes: %s dials %s", async (dials, listens) => {
    const address = await newAddress();
    const pull = open(listens, "Pull");
    const push = open(dials, "Push");
    await pull.socket.bind(address);
    push.socket.connect(address);
    await Promise.all([pull.heard("handshake"), push.heard("handshake")]);
    await push.socket.close();
    await push.ended;
    expect(push.types).toEqual([...delay, "connect", "handshake", "end"]);
    await pull.expect(["bind", "accept", "handshake", "disconnect"]);
    await pull.socket.close();
    await pull.ended;
    expect(pull.types).toEqual(["bind", "accept", "handshake", "disconnect", "close", "end"]);
    pull.expectAddress(address);
  });

  it.each(["ours", "libzmq"] as const)("E34: nobody there: %s", async (dials) => {
    const address = await newAddress();
    const push = open(dials, "Push");
    push.socket.connect(address);
    const attempt = [...delay, "close", "connect:retry"];
    await push.expect([...attempt, ...attempt]);
    const pull = open("libzmq", "Pull");
    await pull.socket.bind(address);
    await push.heard("handshake");
    expect(push.types.slice(-2 - delay.length)).toEqual([...delay, "connect", "handshake"]);
    push.expectAddress(address);
  });

  it.each(["ours", "libzmq"] as const)("RC-3: nobody there, reconnectInterval -1: %s", async (dials) => {
    const address = await newAddress();
    const push = open(dials, "Push", { reconnectInterval: -1 });
    push.socket.connect(address);
    await push.heard("close");
    await push.socket.close();
    await push.ended;
    expect(push.types).toEqual([...delay, "close", "end"]);
  });

  it.each(PAIRS)(
    "types that do not fit: %s dials %s, which tells more when it is ours",
    async (dials, listens) => {
      const address = await newAddress();
      const pull = open(listens, "Pull");
      const pub = open(dials, "Publisher");
      await pull.socket.bind(address);
      pub.socket.connect(address);
      await Promise.all([pull.heard("disconnect"), pub.heard("disconnect")]);
      await Promise.all([pull.socket.close(), pub.socket.close()]);
      await Promise.all([pull.ended, pub.ended]);
      // Whether the one's ERROR or the other's type is noticed first is a matter of time; ERROR is final for us.
      const failed = (types: readonly string[]): string[] =>
        types.filter((type) => type.startsWith("handshake:error"));
      for (const [library, { types }] of [
        [dials, pub],
        [listens, pull],
      ] as const) {
        if (library === "ours") {
          expect(failed(types)[0]).toMatch(/^handshake:error:(protocol|other)$/);
          expect(types.indexOf("disconnect")).toBe(types.indexOf(failed(types)[0] as string) + 1);
        }
        expect(types).not.toContain("handshake");
      }
    },
  );
});

describe("bind:error: with the address as it was given; zeromq.js leaves out the scheme", () => {
  it.each(["ours", "libzmq"] as const)("%s", async (library) => {
    const address = await stableAddress();
    const first = open("ours", "Pull");
    await first.socket.bind(address);
    const second = open(library, "Pull");
    await expect(second.socket.bind(address)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await second.heard("bind:error");
    const told = second.told.find(({ type }) => type === "bind:error");
    expect(told?.error).toMatchObject({ code: "EADDRINUSE", message: "Address already in use" });
    expect(told?.error).toHaveProperty("errno", expect.any(Number));
    expect(told?.address).toBe(library === "ours" ? address : address.slice("tcp://".length));
  });
});

interface Failure {
  name: string;
  /** What the listener says. */
  bytes: string;
  closes?: true;
  /** What follows connect:delay and connect, here and there. */
  ours: readonly string[];
  libzmq: readonly string[];
  error: { code?: string; status?: number; message?: string };
  /** libzmq's error, where it is another. */
  theirError?: object;
}

const [protocol, auth, other] = ["protocol", "auth", "other"].map((kind) => `handshake:error:${kind}`) as [
  string,
  string,
  string,
];
const retried = ["disconnect", "connect:retry"];
const FAILURES: readonly Failure[] = [
  {
    name: "closes at once",
    bytes: "",
    closes: true,
    ours: [other, ...retried],
    libzmq: [other, ...retried],
    error: { code: "EPIPE" },
  },
  {
    name: "closes after its greeting",
    bytes: "G",
    closes: true,
    ours: [other, ...retried],
    libzmq: [other, ...retried],
    error: { code: "EPIPE" },
  },
  {
    name: "is silent (GR-18)",
    bytes: "",
    ours: [other, ...retried],
    libzmq: [other, ...retried],
    error: { code: "ERR_ZMTP_HANDSHAKE_TIMEOUT" },
    theirError: { code: "EAGAIN" },
  },
  {
    name: "speaks HTTP (GR-17)",
    bytes: "'HTTP/1.1 400 Bad Request' 0D 0A 0D 0A",
    closes: true,
    ours: [other, ...retried],
    libzmq: [other, ...retried],
    error: { code: "ERR_ZMTP_VERSION" },
    theirError: { code: "EPIPE" },
  },
  {
    name: "has another mechanism (GR-13)",
    bytes: "FF 00*8 7F 03 01 'PLAIN' 00*15 00*32",
    ours: [protocol, ...retried],
    libzmq: [protocol, "disconnect"],
    error: { code: "ERR_ZMTP_MECHANISM_MISMATCH" },
  },
  {
    name: "sends PING where READY is due",
    bytes: "G 04 07 04 'PING' 00 00",
    ours: [protocol, ...retried],
    libzmq: [protocol, "disconnect"],
    error: { code: "ERR_ZMTP_UNEXPECTED_COMMAND" },
  },
  {
    name: "sends a message where READY is due",
    bytes: "G 00 01 01",
    ours: [protocol, ...retried],
    libzmq: [protocol, "disconnect"],
    error: { code: "ERR_ZMTP_UNEXPECTED_COMMAND" },
  },
  {
    name: "sends an ERROR that is cut short (NU-8)",
    bytes: "G 04 08 05 'ERROR' 09 01",
    ours: [protocol, ...retried],
    libzmq: [protocol, "disconnect"],
    error: { code: "ERR_ZMTP_MALFORMED_COMMAND_ERROR" },
  },
  {
    name: "refuses with status 400 (NU-8)",
    bytes: "G 04 0A 05 'ERROR' 03 '400'",
    ours: [auth, "disconnect"],
    libzmq: [auth],
    error: { status: 400, message: "Authentication failure" },
  },
  {
    name: "refuses for a reason of its own (NU-8)",
    bytes: "G 04 09 05 'ERROR' 02 'no'",
    ours: [protocol, "disconnect"],
    libzmq: [],
    error: { code: "ERR_ZMTP_REFUSED" },
  },
  {
    name: "sends a READY that is cut short (NU-5)",
    bytes: "G 04 08 05 'READY' 05 01",
    ours: [protocol, ...retried],
    libzmq: ["disconnect"],
    error: { code: "ERR_ZMTP_INVALID_METADATA" },
  },
];

describe("MO-4, MO-5: a listener that breaks off the handshake; all of libzmq's events in its order, and more", () => {
  const raw = useRawPeers();

  it.each(FAILURES.map((failure) => [failure.name, failure] as const))("%s", async (_, failure) => {
    expect(isWithin(failure.libzmq, failure.ours)).toBe(true);
    for (const library of ["ours", "libzmq"] as const) {
      const listener = await raw.listen();
      const handshakeInterval = failure.error.code === "ERR_ZMTP_HANDSHAKE_TIMEOUT" ? 100 : 30_000;
      const push = open(library, "Push", { handshakeInterval });
      push.socket.connect(listener.address);
      const peer = await listener.accept();
      peer.write(bytes(failure.bytes));
      if (failure.closes) peer.end();
      await push.expect(["connect:delay", "connect", ...failure[library]]);
      const told = push.told.find(({ type }) => type.startsWith("handshake:error"));
      const error = library === "ours" ? failure.error : (failure.theirError ?? failure.error);
      if (failure[library].some((type) => type.startsWith("handshake"))) {
        expect(told?.error).toMatchObject(error);
        expect(told?.error).toBeInstanceOf(Error);
      }
      push.expectAddress(listener.address);
    }
  });
});
