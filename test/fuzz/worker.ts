import { workerData } from "node:worker_threads";
import { Fuzzer, run } from "./fuzzer.ts";
import { type Job, Slate } from "./slate.ts";

/** Works until time is up or an input breaks a rule; all news are on the slate. */
const { seed, until, inputs, slate: memory } = workerData as Job;
const slate = new Slate(memory);
const fuzzer = new Fuzzer(seed);

// Most inputs end in an error, and its stack costs more than all the rest; a finding shows it when it is replayed.
Error.stackTraceLimit = 0;
while (Date.now() < until && fuzzer.count < inputs) {
  for (let i = 0; i < 256 && fuzzer.count < inputs; i++) {
    const one = fuzzer.next();
    slate.write(one);
    fuzzer.tell(one, run(one));
  }
  slate.news(fuzzer.count, fuzzer.signatures);
}
slate.news(fuzzer.count, fuzzer.signatures);
