import { ZmqError } from "../../errors.ts";
import { SLOTS, slotOf } from "../cluster/slot.ts";
import type { NodeAddress } from "../cluster/topology.ts";
import { keyOf } from "./bytes.ts";
import { findCommand } from "./command-table.ts";
import type { Core } from "./core.ts";
import type { Session } from "./session.ts";
import { dropShardChannel } from "./subscriptions.ts";

/** Which connections: all of them, or only those with subscriptions. */
export interface Which {
  pubsub?: boolean;
}

/**
 * What a real server does only when something goes wrong, on demand. Whatever lasts ends with `clear()`.
 */
export class BrokerFaults {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Ends connections inside a frame: of what each client that is connected now is to get next, replies or messages, only so many
   * bytes leave, and then its connection ends. Clients that connect later are not concerned.
   *
   *     broker.faults.cut(20, { pubsub: true });
   *     await publisher.publish("news", "this one is cut in two");
   *
   * @param bytes default: all but the last byte of what is written next.
   * @throws {ZmqError} EINVAL unless it is a whole number, 0 or more.
   */
  cut(bytes?: number, which: Which = {}): void {
    if (bytes !== undefined && !(Number.isSafeInteger(bytes) && bytes >= 0)) {
      throw new ZmqError("EINVAL", `a whole number of bytes, not ${bytes}`);
    }
    for (const session of this.#select(which)) session.cutAfter(bytes ?? "inside");
  }

  /**
   * Stops like a process that got SIGSTOP: connections are still taken in, by the system, but nothing is read and nothing answered.
   *
   *     broker.faults.freeze();
   *     // ... the clients' heartbeats must find out
   *     broker.faults.thaw();
   */
  freeze(): void {
    this.#core.freeze();
  }

  /** Goes on where it was frozen, with what has come in the meantime. */
  thaw(): void {
    this.#core.thaw();
  }

  /**
   * Closes connections at once; what was not written yet is lost. Clients may connect again.
   *
   *     broker.faults.kill({ pubsub: true }); // as CLIENT KILL TYPE pubsub
   *
   * @returns how many.
   */
  kill(which: Which = {}): number {
    const sessions = this.#select(which);
    for (const session of sessions) session.destroy();
    return sessions.length;
  }

  /**
   * Gives a slot to another node: its subscribers get an unsolicited `sunsubscribe`, commands for it the error `MOVED slot host:port`,
   * and with the option `cluster`, the topology shows it.
   *
   *     broker.faults.moved("orders", { host: "127.0.0.1", port: other.address.port });
   *
   * @param where a slot's number, or a key or sharded channel in it. @param address null: gives it back.
   * @throws {ZmqError} EINVAL for a number that is no slot.
   */
  moved(where: number | string | Uint8Array, address: NodeAddress | null): void {
    const slot = typeof where === "number" ? where : slotOf(where);
    if (!(Number.isInteger(slot) && slot >= 0 && slot < SLOTS)) {
      throw new ZmqError("EINVAL", `a slot from 0 to ${SLOTS - 1}, not ${slot}`);
    }
    const { faults, shardChannels } = this.#core;
    if (address === null) {
      faults.moved.delete(slot);
      return;
    }
    faults.moved.set(slot, { host: address.host, port: address.port });
    for (const topic of [...shardChannels]) {
      if (slotOf(topic.name) === slot) dropShardChannel(shardChannels, topic);
    }
  }

  /**
   * Refuses a command, or whatever names a channel or a pattern, literally: `NOPERM ...`. Subscriptions that stand go on.
   *
   *     broker.faults.noperm({ channel: "secret" });
   *     broker.faults.noperm({ command: "publish" });
   *
   * @throws {ZmqError} EINVAL for a command that the broker does not have.
   */
  noperm(what: { channel: string | Uint8Array } | { command: string }): void {
    const { environment, faults } = this.#core;
    if ("channel" in what) {
      const { channel } = what;
      faults.channels.add(keyOf(typeof channel === "string" ? environment.encodeText(channel) : channel));
      return;
    }
    const command = findCommand(environment.encodeText(what.command));
    if (command === undefined) throw new ZmqError("EINVAL", `no command: ${what.command}`);
    faults.commands.add(command.name);
  }

  /**
   * Ends all subscriptions to a sharded channel with an unsolicited `sunsubscribe`, as when its slot moves; here it can be
   * subscribed to again.
   *
   *     broker.faults.sunsubscribe("orders");
   *
   * @returns how many subscribers it had.
   */
  sunsubscribe(channel: string | Uint8Array): number {
    const { environment, shardChannels } = this.#core;
    const topic = shardChannels.get(typeof channel === "string" ? environment.encodeText(channel) : channel);
    if (topic === undefined) return 0;
    const { size } = topic.receivers;
    dropShardChannel(shardChannels, topic);
    return size;
  }

  /** Ends every fault: thaws, gives all slots back, allows everything, and cuts nothing that is not cut yet. */
  clear(): void {
    const { faults, sessions } = this.#core;
    faults.commands.clear();
    faults.channels.clear();
    faults.moved.clear();
    for (const session of sessions) session.cutAfter(null);
    this.#core.thaw();
  }

  #select({ pubsub = false }: Which): Session[] {
    return [...this.#core.sessions].filter((session) => !pubsub || session.isSubscriber);
  }
}
