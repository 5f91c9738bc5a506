import { Demo } from "./demo.ts";
import { displayFor } from "./display.ts";
import { HELP, parseOptions, UsageError } from "./options.ts";
import { freePort } from "./port.ts";
import { summaryLines } from "./summary.ts";

/** The demo was ended from outside. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super("interrupted");
    this.exitCode = exitCode;
  }
}

const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs the demo. It ends all its processes before it resolves.
 *
 * @param folder where its files are to be, and no other file is needed: the caller removes it.
 * @returns the process's exit code.
 */
export async function main(args: readonly string[], folder: string): Promise<number> {
  const options = optionsOrExitCode(args);
  if (typeof options === "number") return options;
  const stop = new AbortController();
  const abort = new AbortController();
  const interrupt = (signal: keyof typeof EXIT_CODES): void => {
    // With --forever the first Ctrl-C is the regular end.
    if (signal === "SIGINT" && options.seconds === null && !stop.signal.aborted) stop.abort();
    else abort.abort(new Interrupted(EXIT_CODES[signal]));
  };
  const signals = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  for (const signal of signals) process.on(signal, interrupt);
  // Who has read enough, like `npm start | head`, has ended the demo as by SIGPIPE.
  const unread = (): void => abort.abort(new Interrupted(141));
  process.stdout.on("error", unread);
  const display = displayFor(process.stdout);
  try {
    const demo = new Demo({
      options,
      folder,
      port: await freePort(),
      display,
      stop: stop.signal,
      abort: abort.signal,
    });
    const result = await demo.run();
    for (const line of summaryLines(result)) display.note(line);
    return result.faults.length === 0 ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    console.error(`FAILED: ${(error as Error).message}`);
    return 1;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

function optionsOrExitCode(args: readonly string[]): (ReturnType<typeof parseOptions> & object) | number {
  try {
    const options = parseOptions(args);
    if (options !== "help") return options;
    console.log(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nTry: npm start -- --help`);
    return 2;
  }
}
