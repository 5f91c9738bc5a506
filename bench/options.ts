import { parseArgs } from "node:util";

export interface BenchOptions {
  rounds: number;
  /** Measured time of a round, seconds. */
  seconds: number;
  /** Unmeasured time before each round, seconds. */
  warmup: number;
  /** Bytes of a body. */
  sizes: number[];
  /** Messages; empty: 1000 for PUSH and PULL, 100 000 for PUB and SUB. */
  highWaterMarks: number[];
  /** Messages under way at most from PUB to SUB; undefined: 10 000. */
  window: number | undefined;
  /** Parts of names of cells, scenarios or files of micro-benchmarks; empty: all. */
  only: string[];
  /** Names of contenders; empty: all. */
  contenders: string[];
  save: boolean;
  cpuProf: boolean;
  /** Each process of a pair on a core of its own. */
  pin: boolean;
  scenarios: boolean;
  redis: boolean;
  micro: boolean;
}

const HELP = `npm run bench -- [options]

  --rounds N             rounds per cell (5)
  --seconds N            measured seconds of a round (0.3; 1 of a scenario's)
  --warmup N             unmeasured seconds before each round (0.1)
  --full                 rounds of 3 s after 1 s of warm-up: about 20 minutes
  --sizes 16,100,1024    bytes of a body
  --large                64 KiB and 1 MiB too
  --high-water-mark A,B  of all sockets (1000 for PUSH/PULL, 100 000 for PUB/SUB);
                         PUSH/PULL is measured with each, PUB/SUB with the highest
  --window N             messages under way at most from PUB to SUB (10 000), for all contenders
  --only A,B             only cells whose name contains A or B; a name is like "push-pull tcp 16",
                         "pub-sub ipc 1024", "round-trip tcp 64", "push-pull tcp 16 hwm 100000"
  --contenders A,B       of zmtp, zmtp-batch, zeromq.js, zeromq.js-pairs, libzmq, net
  --save                 keep the result in bench/results/ under its date and commit, together with what was
                         measured otherwise that day, at that commit, with the same rounds
  --cpu-prof             profile the JavaScript contenders and print where their time goes
  --pin                  the two processes each on a core of its own (by taskset), against two-fold round trips
  --scenarios            the scenarios instead: fan-out, memory, latency... (--only: part of a scenario's name)
  --redis                the scenarios about Redis instead, beside ioredis and node-redis (--only: the same)
  --micro                the micro-benchmarks instead (--only: part of a file's name)
`;

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name}: expected a number above 0, got ${text}`);
  return value;
}

function positiveInteger(name: string, text: string): number {
  const value = positive(name, text);
  if (!Number.isSafeInteger(value)) throw new Error(`--${name}: expected a whole number, got ${text}`);
  return value;
}

const list = (text: string | undefined): string[] => (text ? text.split(",").map((part) => part.trim()) : []);

/** @returns null when only the help text was asked for; it has been printed. */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string" },
      warmup: { type: "string" },
      full: { type: "boolean", default: false },
      sizes: { type: "string", default: "16,100,1024" },
      large: { type: "boolean", default: false },
      "high-water-mark": { type: "string" },
      window: { type: "string" },
      only: { type: "string" },
      contenders: { type: "string" },
      save: { type: "boolean", default: false },
      "cpu-prof": { type: "boolean", default: false },
      pin: { type: "boolean", default: false },
      scenarios: { type: "boolean", default: false },
      redis: { type: "boolean", default: false },
      micro: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return null;
  }
  const { window } = values;
  const usualSeconds = values.scenarios || values.redis ? "1" : "0.3";
  const sizes = list(values.sizes).map((text) => positiveInteger("sizes", text));
  return {
    rounds: positiveInteger("rounds", values.rounds),
    seconds: positive("seconds", values.seconds ?? (values.full ? "3" : usualSeconds)),
    warmup: positive("warmup", values.warmup ?? (values.full ? "1" : "0.1")),
    sizes: values.large ? [...sizes, 65_536, 1_048_576] : sizes,
    highWaterMarks: list(values["high-water-mark"]).map((text) => positiveInteger("high-water-mark", text)),
    window: window === undefined ? undefined : positiveInteger("window", window),
    only: list(values.only),
    contenders: list(values.contenders),
    save: values.save,
    cpuProf: values["cpu-prof"],
    pin: values.pin,
    scenarios: values.scenarios,
    redis: values.redis,
    micro: values.micro,
  };
}
