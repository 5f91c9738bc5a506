import { fileURLToPath } from "node:url";
import type { Cell, Pattern } from "./cells.ts";

/** How the two processes of a contender are started. The first binds, the second connects. */
export interface Contender {
  readonly name: string;
  readonly title: string;
  /** The program of each end, by pattern. A contender takes part in the patterns listed. */
  readonly programs: Readonly<Partial<Record<Pattern, readonly [binds: string, connects: string]>>>;
  /** The module that its JavaScript programs import, as an import specifier. */
  readonly library?: string;
  /** What a round trip goes through. */
  readonly roundTripBy?: "pairs" | "req-rep";
  /** True if it keeps what a full peer cannot take, so that no window is needed. */
  readonly lossless?: boolean;
}

const OURS = new URL("../dist/index.js", import.meta.url).href;
const STREAM = ["send.mjs", "receive.mjs"] as const;
const BATCH = ["try-send.mjs", "receive-batch.mjs"] as const;
const NET = ["net-send.mjs", "net-receive.mjs"] as const;
const ROUND_TRIP = ["reply.mjs", "request.mjs"] as const;

export const CONTENDERS: readonly Contender[] = [
  {
    name: "zmtp",
    title: "zmtp",
    library: OURS,
    programs: { "push-pull": STREAM, "pub-sub": STREAM, "round-trip": ROUND_TRIP },
    roundTripBy: "pairs",
  },
  {
    name: "zmtp-batch",
    title: "zmtp, batches",
    library: OURS,
    programs: { "push-pull": BATCH, "pub-sub": BATCH },
  },
  {
    name: "zeromq.js",
    title: "zeromq.js",
    library: "zeromq",
    programs: { "push-pull": STREAM, "pub-sub": STREAM, "round-trip": ROUND_TRIP },
    roundTripBy: "req-rep",
  },
  {
    name: "zeromq.js-pairs",
    title: "zeromq.js, PUSH/PULL pairs",
    library: "zeromq",
    programs: { "round-trip": ROUND_TRIP },
    roundTripBy: "pairs",
  },
  {
    name: "libzmq",
    title: "libzmq in C",
    programs: {
      "push-pull": ["send", "receive"],
      "pub-sub": ["send", "receive"],
      "round-trip": ["reply", "request"],
    },
    roundTripBy: "req-rep",
  },
  {
    name: "net",
    title: "node:net, bytes only",
    programs: {
      "push-pull": NET,
      "pub-sub": NET,
      "round-trip": ["net-reply.mjs", "net-request.mjs"],
    },
    lossless: true,
  },
];

/** The command of one end: a JavaScript program under node, or libzmq's binary. */
export function commandOf(
  contender: Contender,
  cell: Cell,
  program: string,
  addresses: readonly string[],
  { libzmqBinary, nodeOptions }: { libzmqBinary: string | null; nodeOptions: readonly string[] },
): string[] {
  const settings = [
    cell.pattern === "round-trip" ? (contender.roundTripBy ?? "pairs") : cell.pattern,
    addresses.join(","),
    String(cell.size),
    String(cell.highWaterMark),
    String(contender.lossless ? 0 : cell.window),
  ];
  if (contender.name === "libzmq") {
    if (libzmqBinary === null) throw new Error("libzmq's program was not built");
    return [libzmqBinary, program, ...settings];
  }
  const file = fileURLToPath(new URL(`programs/${program}`, import.meta.url));
  return [process.execPath, ...nodeOptions, file, contender.library ?? "none", ...settings];
}
