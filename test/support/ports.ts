import { createServer } from "node:net";

/**
 * Below what Linux and macOS give out for `:0` and for the near end of connections (from 32768 and 49152 on): what is
 * listened on here, left and listened on again is taken by nobody meanwhile, and nobody who dials a port that was once
 * his ends up here.
 */
const COUNT = 5_000;
/** Test files that run side by side have ports of their own: what one has left for a moment the other must not find free. */
const FIRST = 10_000 + COUNT * (Number(process.env.VITEST_POOL_ID ?? 0) % 2);

// Each process starts elsewhere: what the one before has left is tried last.
let next = (process.pid * 379) % COUNT;

/** A TCP port on loopback that is free now and stays so for as long as only this function, in two workers, gives ports out. */
export async function stablePort(): Promise<number> {
  for (;;) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if (await isFree(port)) return port;
  }
}

export async function stableAddress(): Promise<string> {
  return `tcp://127.0.0.1:${await stablePort()}`;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
