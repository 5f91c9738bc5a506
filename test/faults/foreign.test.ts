import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import * as zmtp from "../../src/index.ts";
import { nodeEnvironment } from "../../src/runtime/node.ts";
import { Context, Subscriber } from "../../src/sockets/index.ts";
import { bytes } from "../interop/peers/bytes.ts";
import { stablePort } from "../support/ports.ts";
import { until } from "../support/wait.ts";

interface Speaker {
  name: string;
  /** What it says first, whoever is there. */
  says?: Buffer;
  /** It goes on for ever. */
  endless?: true;
  closes?: true;
  reason: zmtp.DisconnectReason;
  code?: string;
}

const NOT_ZMTP = { reason: "protocol", code: "ERR_ZMTP_VERSION" } as const;

/** The same bytes each time, none of them 0xFF, with which a greeting would begin. */
function noise(size: number): Buffer {
  let seed = 1;
  return Buffer.from(
    Array.from({ length: size }, () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 16) % 255;
    }),
  );
}

const SPEAKERS: readonly Speaker[] = [
  { name: "is silent", reason: "handshake", code: "ERR_ZMTP_HANDSHAKE_TIMEOUT" },
  { name: "closes at once", closes: true, reason: "handshake" },
  { name: "speaks HTTP", says: Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ...NOT_ZMTP },
  { name: "asks by HTTP", says: Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ...NOT_ZMTP },
  {
    name: "speaks TLS",
    says: bytes("16 03 03 00 31 02 00 00 2D 03 03 00*32 00 13 01 00 00 05 FF 01 00 01 00"),
    ...NOT_ZMTP,
  },
  { name: "speaks SSH", says: Buffer.from("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), ...NOT_ZMTP },
  { name: "speaks Redis", says: Buffer.from("-ERR unknown command\r\n"), ...NOT_ZMTP },
  { name: "sends noise for ever", says: noise(65_536), endless: true, ...NOT_ZMTP },
  {
    name: "greets well, then sends noise for ever",
    says: Buffer.concat([bytes("G"), noise(65_536)]),
    endless: true,
    reason: "protocol",
    code: "ERR_ZMTP_FRAME",
  },
];

/** Says what there is to say, for as long as anyone listens. */
function speak(socket: Socket, { says, endless, closes }: Speaker): void {
  socket.on("error", () => {}).resume();
  if (says) socket.write(says);
  if (closes) socket.end();
  if (!endless) return;
  const more = noise(65_536);
  socket.on("drain", () => socket.write(more));
}

const INTERVAL = 2;
const ATTEMPTS = 6;

/** Short for the one that is silent; else its end is to come of what it says. */
function intervalFor({ code }: Speaker, short: number): number {
  return code === "ERR_ZMTP_HANDSHAKE_TIMEOUT" ? short : 30_000;
}

describe("need 8 and 21: a port where something else is spoken", () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  async function serve(speaker: Speaker): Promise<string> {
    const server = createServer((socket) => {
      sockets.push(socket);
      speak(socket, speaker);
    });
    servers.push(server);
    const port = await stablePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return `tcp://127.0.0.1:${port}`;
  }

  /** Node's environment, with the timers that are running. */
  function counting() {
    const running = new Set<object>();
    const environment = nodeEnvironment();
    const setTimer = (milliseconds: number, callback: () => void) => {
      const timer = environment.setTimer(milliseconds, () => {
        running.delete(timer);
        callback();
      });
      running.add(timer);
      const cancel = (): void => {
        running.delete(timer);
        timer.cancel();
      };
      return { cancel };
    };
    return { context: new Context({ ...environment, setTimer }), running };
  }

  it.each(SPEAKERS.map((speaker) => [speaker.name, speaker] as const))(
    "dialled, it %s: a typed event each time, a delay that doubles, one timer; a good publisher is heard all the while",
    async (_, speaker) => {
      const pub = new zmtp.Publisher();
      await pub.bind("tcp://127.0.0.1:*");
      const address = await serve(speaker);
      const { context, running } = counting();
      const sub = new Subscriber(
        { reconnectInterval: INTERVAL, handshakeInterval: intervalFor(speaker, 50) },
        context,
      );
      sub.subscribe("");
      sub.connect(pub.lastEndpoint!);
      await pub.subscribed("");
      const lost: zmtp.SocketEvents["disconnect"][] = [];
      let mostTimers = 0;
      sub.events.on("disconnect", (event) => {
        lost.push(event);
        mostTimers = Math.max(mostTimers, running.size);
      });
      sub.connect(address);
      for (let n = 0; lost.length < ATTEMPTS; n += 1) {
        await pub.send(String(n));
        expect(String(await sub.receive())).toBe(String(n));
      }
      for (const [failures, { reason, error, retryIn, address: from }] of lost.slice(0, ATTEMPTS).entries()) {
        expect(from).toBe(address);
        // One that closes while our greeting is under way may do so with a reset, which is an error too.
        expect([reason, speaker.closes ? undefined : (error as { code?: string } | undefined)?.code]).toEqual(
          [speaker.reason, speaker.code],
        );
        const most = 2 * INTERVAL * 2 ** failures;
        expect(retryIn).toBeGreaterThanOrEqual(Math.floor(most / 2));
        expect(retryIn).toBeLessThanOrEqual(most);
      }
      // The next attempt, and one for all deadlines. What we still say to a peer that greets well has a second to leave.
      const leaving = speaker.code === "ERR_ZMTP_FRAME" ? ATTEMPTS : 0;
      expect(mostTimers).toBeLessThanOrEqual(2 + leaving);
      await Promise.all([sub.close(), pub.close()]);
      await until("no timer runs", () => running.size === 0);
    },
  );

  it("dialled, it refuses: a typed event each time, the delay of the option", async () => {
    const push = new zmtp.Push({ reconnectInterval: 5, reconnectMaxInterval: 20, linger: 0 });
    const failed: zmtp.SocketEvents["connect:retry"][] = [];
    push.events.on("connect:retry", (event) => failed.push(event));
    push.connect(`tcp://127.0.0.1:${await stablePort()}`);
    await until("ten attempts have failed", () => failed.length >= 10);
    for (const { error, interval } of failed) {
      expect(error).toMatchObject({ code: "ECONNREFUSED" });
      expect(interval).toBeLessThanOrEqual(20);
    }
    await push.close();
  });

  it.each(SPEAKERS.map((speaker) => [speaker.name, speaker] as const))(
    "twenty that dial us, each %s: a typed event for each; a good pusher is heard all the while",
    async (_, speaker) => {
      const pull = new zmtp.Pull({ handshakeInterval: intervalFor(speaker, 200) });
      const lost: zmtp.SocketEvents["disconnect"][] = [];
      pull.events.on("disconnect", (event) => lost.push(event));
      await pull.bind("tcp://127.0.0.1:*");
      const push = new zmtp.Push();
      push.connect(pull.lastEndpoint!);
      await push.send("first");
      await pull.receive();
      for (let n = 0; n < 20; n += 1) {
        const socket = tcpConnect(Number(pull.lastEndpoint!.split(":")[2]), "127.0.0.1");
        sockets.push(socket);
        speak(socket, speaker);
      }
      for (let n = 0; lost.length < 20; n += 1) {
        await push.send(String(n));
        expect(String(await pull.receive())).toBe(String(n));
      }
      for (const { reason, error } of lost) {
        const code = speaker.closes ? undefined : (error as { code?: string } | undefined)?.code;
        expect([reason, code]).toEqual([speaker.reason, speaker.code]);
      }
      expect(pull.stats().peers).toHaveLength(1);
      await Promise.all([push.close(), pull.close()]);
    },
  );
});
