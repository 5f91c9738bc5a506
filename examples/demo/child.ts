import { rmSync } from "node:fs";
import type { FromChild, Question, Setup } from "./messages.ts";

/** ms between two tellings of figures. */
const FIGURES_INTERVAL = 250;

/** What a process of the demo does. The questions it does not know are answered with nothing. */
export interface ChildPart {
  /** The process is ready when this resolves. */
  start(): Promise<void>;
  answers?: Partial<Record<Question, () => unknown>>;
  figures?(): (FromChild & { type: "figures" })["figures"];
  /** Closes all that is open, so that the process ends by itself. */
  end(): Promise<void>;
}

export function readSetup(): Setup {
  return JSON.parse(process.argv[2]!) as Setup;
}

/** Runs a part in this process until the parent asks for its end, or is gone. */
export function runChild(part: ChildPart): void {
  process.once("disconnect", leave);
  process.on("message", (question: Question) => void answer(part, question).catch(fail));
  part.start().then(() => {
    tell({ type: "ready" });
    if (part.figures === undefined) return;
    setInterval(() => tell({ type: "figures", figures: part.figures!() }), FIGURES_INTERVAL).unref();
  }, fail);
}

async function answer(part: ChildPart, question: Question): Promise<void> {
  if (question !== "end") {
    tell({ type: "answer", question, answer: await part.answers?.[question]?.() });
    return;
  }
  await part.end();
  process.off("disconnect", leave);
  tell({ type: "answer", question });
  process.disconnect();
}

/** The parent was killed: whoever is the last to leave takes the files along. */
function leave(): void {
  rmSync(readSetup().folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(1);
}

/** Tells the parent, who then ends everything. Nothing is told without a parent: then we are about to leave as well. */
export function fail(error: unknown): void {
  tell({ type: "failed", message: error instanceof Error ? error.message : String(error) });
}

function tell(message: FromChild): void {
  if (process.connected) process.send!(message, undefined, undefined, () => {});
}
