import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { type RedisOptions, resolveOptions } from "../../../src/redis-resp/connection/options.ts";

const bad = (options: unknown): unknown => options;
const PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

describe("options", () => {
  it("defaults", async () => {
    const { locate, settings } = resolveOptions({});
    expect(await locate()).toEqual({ host: "127.0.0.1", port: 6379 });
    expect({ ...settings, credentials: await settings.credentials() }).toEqual({
      tls: null,
      credentials: null,
      db: 0,
      protocol: 3,
      clientName: null,
      connectTimeout: 5000,
      reconnectInterval: 100,
      reconnectMaxInterval: 2000,
      pingInterval: 15_000,
      pingTimeout: 5000,
      commandTimeout: 0,
      maxQueuedCommands: 1_000_000,
      maxQueuedBytes: 2 ** 30,
      maxBulk: 2 ** 29,
    });
  });

  it.each<[unknown, string]>([
    ["redis://localhost", "options must be an object"],
    [null, "options must be an object"],
    [{ host: 1 }, "host must be a string"],
    [{ port: "6379" }, "port must be a number"],
    [{ path: 1 }, "path must be a string"],
    [{ url: 1 }, "url must be a string"],
    [{ locate: {} }, "locate must be a function"],
    [{ tls: "yes" }, "tls must be a boolean or an object"],
    [{ tls: { ca: 1 } }, "tls.ca must be text or bytes, or a list of them"],
    [{ tls: { cert: [PEM, {}] } }, "tls.cert must be text or bytes, or a list of them"],
    [{ tls: { key: [{ pem: 1 }] } }, "tls.key must be text or bytes, or a list of them"],
    [{ tls: { key: [{ buf: Buffer.from(PEM) }] } }, "tls.key must be text or bytes, or a list of them"],
    [{ tls: { pfx: [{ pem: PEM }] } }, "tls.pfx must be text or bytes, or a list of them"],
    [{ tls: { pfx: null } }, "tls.pfx must be text or bytes, or a list of them"],
    [{ tls: { servername: Buffer.from("h") } }, "tls.servername must be a string"],
    [{ tls: { rejectUnauthorized: "false" } }, "tls.rejectUnauthorized must be a boolean"],
    [{ tls: { checkServerIdentity: true } }, "tls.checkServerIdentity must be a function"],
    [{ tls: { minVersion: 1.2 } }, "tls.minVersion must be a string"],
    [{ tls: { minDHSize: "1" } }, "tls.minDHSize must be a number"],
    [{ tls: { secureContext: 1 } }, "tls.secureContext must be an object"],
    [{ username: 1, password: "p" }, "username must be a string"],
    [{ password: Buffer.from("p") }, "password must be a string"],
    [{ clientName: 1 }, "clientName must be a string"],
    [{ credentials: "p" }, "credentials must be a function"],
    [{ pingInterval: "1s" }, "pingInterval must be a number"],
    [{ maxBulk: 1n }, "maxBulk must be a number"],
  ])("TypeError: %o", (options, message) => {
    expect(() => resolveOptions(bad(options) as RedisOptions)).toThrow(new TypeError(message));
  });

  it.each<[RedisOptions, string | RegExp]>([
    [bad({ hots: "h", prot: 1 }) as RedisOptions, /^unknown option: hots, prot; known are /],
    [{ host: "" }, "host must not be empty"],
    [{ host: "two words" }, /./],
    [{ host: "10.0.0.1:1;h" }, /./],
    [{ path: "" }, "path must not be empty"],
    [{ path: "/s", port: 1 }, "either path, or host and port"],
    [{ port: 0 }, "port must be a whole number from 1 to 65535, not 0"],
    [{ port: 65_536 }, /^port must be/],
    [{ port: 1.5 }, /^port must be/],
    [{ db: -1 }, /^db must be/],
    [{ protocol: 4 as 3 }, "protocol must be 2 or 3"],
    [{ clientName: "two words" }, "clientName must be printable ASCII without spaces"],
    [{ connectTimeout: 0 }, /^connectTimeout must be/],
    [{ reconnectInterval: 0 }, /^reconnectInterval must be/],
    [{ reconnectMaxInterval: Number.NaN }, /^reconnectMaxInterval must be/],
    [{ pingInterval: 2 ** 31 }, /^pingInterval must be/],
    [{ pingTimeout: 0 }, /^pingTimeout must be/],
    [{ commandTimeout: -1 }, /^commandTimeout must be/],
    [{ maxQueuedCommands: 0 }, /^maxQueuedCommands must be/],
    [{ maxQueuedBytes: Number.POSITIVE_INFINITY }, /^maxQueuedBytes must be/],
    [{ maxBulk: 0 }, /^maxBulk must be/],
    [{ username: "u" }, "username without password"],
    [
      { password: "p", credentials: () => ({ password: "q" }) },
      "either credentials, or username and password",
    ],
    [{ path: "/s", tls: true }, "no TLS over a Unix socket"],
    [{ tls: { ca: "/etc/ssl/ca.pem" } }, "tls.ca must be PEM, with a line -----BEGIN ..."],
    [{ tls: { ca: [PEM, Buffer.from("x")] } }, /^tls.ca must be PEM/],
    [{ tls: { cert: "" } }, /^tls.cert must be PEM/],
    [{ tls: { key: Buffer.alloc(5) } }, /^tls.key must be PEM/],
    [
      { tls: { minVersion: "1.2" as "TLSv1.2" } },
      "tls.minVersion must be one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3",
    ],
    [{ tls: { maxVersion: "tlsv1.3" as "TLSv1.3" } }, /^tls.maxVersion must be one of/],
    [
      { tls: bad({ host: "h" }) as object },
      "tls.host is not an option: it follows from the server's address",
    ],
    [{ locate: () => ({ path: "/s" }), host: "h" }, "either locate, or host and port, or path"],
  ])("EINVAL: %o", (options, message) => {
    expect(() => resolveOptions(options)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => resolveOptions(options)).toThrow(message);
  });

  it("tls as node:tls takes it", () => {
    const bytes = Buffer.from(PEM);
    const tls = {
      ca: [PEM, bytes, new Uint8Array(bytes)],
      cert: PEM,
      key: [{ pem: PEM, passphrase: "p" }],
      pfx: [Buffer.from("archive"), { buf: Buffer.from("archive") }],
      servername: "h",
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      maxVersion: undefined,
      checkServerIdentity: () => undefined,
      ALPNProtocols: ["x"],
    } as NonNullable<RedisOptions["tls"]>;
    expect(resolveOptions({ tls }).settings.tls).toBe(tls);
    expect(resolveOptions({ tls: { ca: [] } }).settings.tls).toEqual({ ca: [] });
  });

  it("a path too long for the system", () => {
    expect(() => resolveOptions({ path: `/${"x".repeat(200)}` })).toThrow(
      expect.objectContaining({ code: "ENAMETOOLONG" }),
    );
  });
});

describe("url", () => {
  const read = async (url: string, beside: RedisOptions = {}): Promise<unknown> => {
    const { locate, settings } = resolveOptions({ url, ...beside });
    const { tls, db } = settings;
    return {
      ...(await locate()),
      ...(await settings.credentials()),
      ...(tls && { tls }),
      ...(db !== 0 && { db }),
    };
  };

  it.each<[string, unknown]>([
    ["redis://example.com", { host: "example.com", port: 6379 }],
    ["redis://:p@localhost:7000/2", { host: "localhost", port: 7000, password: "p", db: 2 }],
    ["redis://u:p%40%2F%C3%A9@h", { host: "h", port: 6379, username: "u", password: "p@/é" }],
    ["rediss://[::1]:7/", { host: "::1", port: 7, tls: {} }],
    ["redis://h?db=4", { host: "h", port: 6379, db: 4 }],
    ["unix:///run/redis.sock", { path: "/run/redis.sock" }],
    ["unix:///run/a%20b.sock?db=1", { path: "/run/a b.sock", db: 1 }],
  ])("%s", async (url, expected) => {
    expect(await read(url)).toEqual(expected);
  });

  it("options beside it come first", async () => {
    const expected = { host: "other", port: 1, password: "q", db: 5 };
    expect(await read("redis://:p@h:1/2", { host: "other", password: "q", db: 5 })).toEqual(expected);
    const absent = { host: undefined, port: undefined, password: undefined, tls: undefined, db: undefined };
    expect(await read("rediss://:p@h:1/2", bad(absent) as RedisOptions)).toEqual({
      host: "h",
      port: 1,
      password: "p",
      db: 2,
      tls: {},
    });
  });

  it.each([
    ["http://h", "unknown scheme http:"],
    ["localhost:6379", "unknown scheme localhost:"],
    ["", "not a URL"],
    ["redis://h:99999", "not a URL"],
    ["redis://h/first", '"first" is no number of a database'],
    ["redis://h/0/1", '"0/1" is no number of a database'],
    ["redis://h/1?db=2", "unknown or repeated parameter db"],
    ["redis://h?family=6", "unknown or repeated parameter family"],
    ["redis://h#x", "a fragment"],
    ["redis://:%zz@h", "a % that begins no character"],
    ["unix://run/redis.sock", "unix: takes a whole path, with three slashes"],
  ])("EINVAL: %s", (url, reason) => {
    expect(() => resolveOptions({ url })).toThrow(
      expect.objectContaining({ code: "EINVAL", message: `url: ${reason}` }),
    );
  });

  it("no error shows the password", () => {
    for (const url of ["redis://:secret@h:99999", "redis://:secret@h/x", "http://:secret@h"]) {
      try {
        resolveOptions({ url });
        expect.unreachable();
      } catch (error) {
        expect(inspect(error)).toContain("EINVAL");
        expect(inspect(error)).not.toContain("secret");
      }
    }
  });
});
