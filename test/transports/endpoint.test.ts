import { describe, expect, it } from "vitest";
import { ZmqError } from "../../src/errors.ts";
import {
  formatTcp,
  parseIpc,
  parseTcp,
  schemeOf,
  whyNoAbstractNames,
} from "../../src/transports/endpoint.ts";
import { interfaceAddress } from "../../src/transports/interfaces.ts";
import { thrownBy } from "./helpers.ts";

describe("conformance 9, the scheme", () => {
  it.each([
    ["tcp://127.0.0.1:5", "tcp"],
    ["TCP://127.0.0.1:5", "TCP"],
    ["foo://bar", "foo"],
    ["a://b://c", "a"],
  ])("of %s is %s", (address, scheme) => {
    expect(schemeOf(address)).toBe(scheme);
  });

  it.each(["", "foo-bar", "://x", "tcp://", "ipc://", "tcp:/127.0.0.1:5"])(
    "%j is no endpoint: EINVAL",
    (text) => {
      expect(thrownBy(() => schemeOf(text))).toBe("EINVAL");
    },
  );

  it("says which address was refused, in zeromq.js's words", () => {
    const error = (() => {
      try {
        return schemeOf("foo-bar");
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(ZmqError);
    expect(error).toMatchObject({ message: "Invalid argument", errno: 22, address: "foo-bar" });
  });
});

describe("EP-1, E42: tcp to bind", () => {
  it.each([
    ["tcp://127.0.0.1:5555", "127.0.0.1", 5555],
    ["tcp://127.0.0.1:*", "127.0.0.1", 0],
    ["tcp://127.0.0.1:0", "127.0.0.1", 0],
    ["tcp://127.0.0.1:65535", "127.0.0.1", 65535],
    ["tcp://*:*", "*", 0],
    ["tcp://*:0", "*", 0],
    ["tcp://*:8866", "*", 8866],
    ["tcp://[127.0.0.1]:5", "127.0.0.1", 5],
    ["tcp://[::1]:*", "::1", 0],
    ["tcp://::1:5", "::1", 5],
    ["tcp://[::]:5", "::", 5],
    ["tcp://[fe80::1%eth0]:5", "fe80::1%eth0", 5],
    ["tcp://[fe80::1]%eth0:5", "fe80::1%eth0", 5],
    ["tcp://fe80::1%eth0:5", "fe80::1%eth0", 5],
    ["tcp://lo:*", "lo", 0],
    ["tcp://eth0.100:5", "eth0.100", 5],
    ["tcp://br-1f_2:5", "br-1f_2", 5],
    ["tcp://localhost:5", "localhost", 5],
  ])("%s", (address, host, port) => {
    expect(parseTcp(address, "bind")).toEqual({ source: null, target: { host, port } });
  });

  it.each([
    ["tcp://127.0.0.1", "EINVAL"],
    ["tcp://127.0.0.1:", "EINVAL"],
    ["tcp://127.0.0.1:abc", "EINVAL"],
    ["tcp://127.0.0.1:0x50", "EINVAL"],
    ["tcp://127.0.0.1:0 ", "EINVAL"],
    ["tcp://127.0.0.1: 5", "EINVAL"],
    ["tcp://127.0.0.1:5abc", "EINVAL"],
    ["tcp://127.0.0.1:65536", "EINVAL"],
    ["tcp://127.0.0.1:70000", "EINVAL"],
    ["tcp://127.0.0.1:99999999", "EINVAL"],
    ["tcp://127.0.0.1:-1", "EINVAL"],
    ["tcp://127.0.0.1:5/path", "EINVAL"],
    ["tcp://127.0.0.1:5;127.0.0.1:5", "EINVAL"],
    ["tcp://127.0.0.256:5", "EINVAL"],
    ["tcp://[::1]", "EINVAL"],
    ["tcp://[::1:5", "EINVAL"],
    ["tcp://::1]:5", "EINVAL"],
    ["tcp://[lo]:5", "EINVAL"],
    ["tcp://[]:5", "EINVAL"],
    ["tcp://[::g]:5", "EINVAL"],
    ["tcp://[fe80::1%0]:5", "EINVAL"],
    ["tcp://[fe80::1%]:5", "EINVAL"],
    ["tcp://[fe80::1%a]%b:5", "EINVAL"],
    ["tcp://a b:5", "EINVAL"],
    ["tcp://:*", "ENODEV"],
    ["tcp://:", "EINVAL"],
    ["ipc://x", "EINVAL"],
  ])("%j: %s", (address, code) => {
    expect(thrownBy(() => parseTcp(address, "bind"))).toBe(code);
  });
});

describe("EP-1, tcp to connect", () => {
  it.each([
    ["tcp://127.0.0.1:5", "127.0.0.1", 5],
    ["tcp://localhost:5998", "localhost", 5998],
    ["tcp://nosuch.invalid:5", "nosuch.invalid", 5],
    ["tcp://a_b.example-1.org.:5", "a_b.example-1.org.", 5],
    ["tcp://[::1]:5", "::1", 5],
    ["tcp://[fe80::1%2]:5", "fe80::1%2", 5],
  ])("%s", (address, host, port) => {
    expect(parseTcp(address, "connect")).toEqual({ source: null, target: { host, port } });
  });

  it.each([
    "tcp://127.0.0.1:*",
    "tcp://127.0.0.1:0",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:abc",
    "tcp://127.0.0.1:5abc",
    "tcp://127.0.0.1:65536",
    "tcp://*:5",
    "tcp://:5",
    "tcp:// 127.0.0.1:5",
    "tcp://127.0.0.1:5 ",
    "tcp:///path",
    "tcp://_x:5",
    "tcp://-x:5",
    "tcp://zürich:5",
    "tcp://1.2.3:5",
    `tcp://${"a".repeat(254)}:5`,
  ])("%j: EINVAL", (address) => {
    expect(thrownBy(() => parseTcp(address, "connect"))).toBe("EINVAL");
  });
});

describe("EP-2, source address", () => {
  it.each([
    ["tcp://127.0.0.1:0;127.0.0.1:5", "127.0.0.1", 0],
    ["tcp://127.0.0.1:*;127.0.0.1:5", "127.0.0.1", 0],
    ["tcp://lo:7;127.0.0.1:5", "lo", 7],
    ["tcp://[::1]:7;127.0.0.1:5", "::1", 7],
  ])("%s", (address, host, port) => {
    expect(parseTcp(address, "connect")).toEqual({
      source: { host, port },
      target: { host: "127.0.0.1", port: 5 },
    });
  });

  it.each([
    "tcp://*:0;127.0.0.1:5",
    "tcp://127.0.0.1;127.0.0.1:5",
    "tcp://;127.0.0.1:5",
    "tcp://127.0.0.1:0;",
    "tcp://127.0.0.1:0;127.0.0.1:0",
    "tcp://127.0.0.1:0;127.0.0.1:5;127.0.0.1:5",
  ])("%s: EINVAL", (address) => {
    expect(thrownBy(() => parseTcp(address, "connect"))).toBe("EINVAL");
  });
});

describe("EP-8, an address as it is shown", () => {
  it("has IPv6 in brackets", () => {
    expect(formatTcp("0.0.0.0", 43003)).toBe("tcp://0.0.0.0:43003");
    expect(formatTcp("::1", 5)).toBe("tcp://[::1]:5");
  });
});

describe("EP-5, ipc", () => {
  it.each([
    ["ipc:///run/x.sock", "/run/x.sock"],
    ["ipc://x.sock", "x.sock"],
    ["ipc://a:b;c*", "a:b;c*"],
  ])("%s is a path", (address, path) => {
    expect(parseIpc(address, "bind")).toEqual({ kind: "path", path });
    expect(parseIpc(address, "connect")).toEqual({ kind: "path", path });
  });

  it("knows a wildcard to bind only", () => {
    expect(parseIpc("ipc://*", "bind")).toEqual({ kind: "wildcard", path: "" });
    expect(thrownBy(() => parseIpc("ipc://*", "connect"))).toBe("EINVAL");
  });

  it.runIf(process.platform === "linux")("takes 107 bytes and not 108, counted in UTF-8", () => {
    const path = (bytes: number): string => `/é${"x".repeat(bytes - 3)}`;
    expect(parseIpc(`ipc://${path(107)}`, "bind").path).toHaveLength(106);
    expect(thrownBy(() => parseIpc(`ipc://${path(108)}`, "bind"))).toBe("ENAMETOOLONG");
    expect(thrownBy(() => parseIpc(`ipc://${path(108)}`, "connect"))).toBe("ENAMETOOLONG");
    expect(thrownBy(() => parseIpc(`ipc://@${"x".repeat(107)}`, "connect"))).toBe("ENAMETOOLONG");
  });

  it("refuses an empty abstract name and a NUL", () => {
    expect(thrownBy(() => parseIpc("ipc://@", "bind"))).toBe("EINVAL");
    expect(thrownBy(() => parseIpc("ipc:///tmp/a\0b", "bind"))).toBe("EINVAL");
  });

  it.each([
    ["linux", "20.20.2", /Node 22/],
    ["linux", "18.0.0", /Node 22/],
    ["darwin", "24.0.0", /Linux only/],
    ["linux", "22.0.0", null],
    ["linux", "26.10.0", null],
  ])("abstract names on %s with Node %s", (platform, version, refusal) => {
    const answer = whyNoAbstractNames(platform, version);
    if (refusal === null) expect(answer).toBeNull();
    else expect(answer).toMatch(refusal);
  });

  it("takes an abstract name or says EPROTONOSUPPORT, as the runtime can", () => {
    const able = process.platform === "linux" && Number.parseInt(process.versions.node, 10) >= 22;
    if (able) expect(parseIpc("ipc://@x", "bind")).toEqual({ kind: "abstract", path: "\0x" });
    else expect(thrownBy(() => parseIpc("ipc://@x", "bind"))).toBe("EPROTONOSUPPORT");
  });
});

describe("EP-1, interface names", () => {
  const info = (address: string, family: "IPv4" | "IPv6") =>
    ({ address, family, netmask: "", mac: "", internal: false, cidr: null, scopeid: 0 }) as const;
  const interfaces = {
    lo: [info("127.0.0.1", "IPv4"), info("::1", "IPv6")],
    eth0: [info("10.0.0.1", "IPv4"), info("fe80::7", "IPv6"), info("fd00::2", "IPv6")],
    eth1: [info("10.0.1.1", "IPv4"), info("fe80::8", "IPv6")],
    eth2: [info("fe80::9", "IPv6")],
  };

  it.each([
    ["lo", false, "127.0.0.1"],
    ["lo", true, "::1"],
    ["eth0", false, "10.0.0.1"],
    ["eth0", true, "fd00::2"],
    ["eth1", true, "10.0.1.1"],
    ["eth2", true, "fe80::9%eth2"],
    ["eth2", false, null],
    ["nosuch0", false, null],
    ["constructor", false, null],
  ])("%s with ipv6 %s is %s", (name, ipv6, address) => {
    expect(interfaceAddress(name, ipv6, interfaces)).toBe(address);
  });
});
