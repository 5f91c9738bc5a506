import type { Child, Children } from "../support/children.ts";
import { stablePort } from "../support/ports.ts";
import type { World } from "./world.ts";

/** A publisher in a process of its own, which can be killed, stopped, and started again at the same address. */
export class RemotePublisher {
  readonly #start: (port: string) => Child;
  #child: Child;
  #address = "";

  private constructor(start: (port: string) => Child, port: string) {
    this.#start = start;
    this.#child = start(port);
  }

  static async start(children: Children, library: "ours" | "libzmq"): Promise<RemotePublisher> {
    const publisher = new RemotePublisher(
      (port) => children.node("test/drivers/programs/publisher.ts", [library, port]),
      String(await stablePort()), // nobody takes it while the publisher is dead
    );
    publisher.#address = await publisher.#child.line(/^tcp:/, 30_000);
    return publisher;
  }

  get address(): string {
    return this.#address;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.signal(name);
  }

  async kill(): Promise<void> {
    await this.#child.kill();
  }

  async restart(): Promise<void> {
    this.#child = this.#start(this.#address.split(":").at(-1)!);
    await this.#child.line(/^tcp:/, 30_000);
  }

  /** Writes a row, then has it published. @param stopped do not wait until it was. */
  async write(
    world: World,
    key: string,
    { stopped = false, topic }: { stopped?: boolean; topic?: string } = {},
  ): Promise<void> {
    this.#child.write(
      world
        .row(key, topic)
        .map((frame) => frame.toString("hex"))
        .join(" "),
    );
    if (!stopped) await this.#child.line(/^sent$/);
  }
}
