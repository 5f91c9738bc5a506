import type { Child, Children } from "../test/support/children.ts";
import type { Report, SocketPlan } from "./member.ts";

/** One process, from its start to its end, and what it reported last. */
export class Life {
  readonly name: string;
  readonly child: Child;
  report: Report | null = null;
  /** Connections of its that were reset. */
  resets = 0;
  end: "none" | "killed" | "closed" = "none";
  /** The heap and RSS of each report, in MiB. */
  readonly memory: { heap: number; rss: number }[] = [];
  readonly #closed: Promise<void>;

  constructor(children: Children, name: string, plans: readonly SocketPlan[]) {
    this.name = name;
    const file = new URL("./member.ts", import.meta.url).pathname;
    const args = ["--expose-gc", "--import", "tsx", file, JSON.stringify(plans)];
    this.child = children.start(process.execPath, args);
    this.#closed = new Promise((resolve) => {
      this.child.onLine((line) => {
        if (!line.startsWith("{")) return;
        const { closed, ...report } = JSON.parse(line) as Report & { closed: boolean };
        this.report = report;
        this.memory.push(report.memory);
        if (closed) resolve();
      });
      void this.child.exited.then(() => resolve());
    });
  }

  /** Closes its sockets, lingering, and ends. */
  async close(): Promise<void> {
    this.end = "closed";
    this.child.write("close");
    await this.#closed;
    await this.child.exited;
  }

  async kill(): Promise<void> {
    this.end = "killed";
    await this.child.kill();
  }
}
