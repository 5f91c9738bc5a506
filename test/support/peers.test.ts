import { describe, expect, it } from "vitest";
import { describeWithPython, probe, requirePeer } from "./peers.ts";

describe("real peers", () => {
  it("a command that fails or does not exist is no peer", () => {
    expect(probe(process.execPath, ["-e", ""])).toBe(process.execPath);
    expect(probe(process.execPath, ["-e", "process.exit(1)"])).toBeNull();
    expect(probe("/nowhere/python3", [])).toBeNull();
  });

  it("a missing peer is an error in CI and nowhere else", () => {
    expect(() => requirePeer(null, "python3-zmq", "true")).toThrow("python3-zmq is missing");
    expect(() => requirePeer(null, "python3-zmq", "")).not.toThrow();
    expect(() => requirePeer("/usr/bin/python3", "python3-zmq", "true")).not.toThrow();
  });
});

describeWithPython("pyzmq", (python) => {
  it("loads", () => {
    expect(probe(python, ["-c", "import zmq; zmq.Context()"])).toBe(python);
  });
});
