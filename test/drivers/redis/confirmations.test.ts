import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Channel, exactly } from "../../../src/drivers/redis/channels.ts";
import { Confirmations } from "../../../src/drivers/redis/confirmations.ts";
import type { SubscriptionState } from "../../../src/redis-resp/index.ts";

const ALWAYS = exactly(Buffer.from("D"));

/** A connection and its server: what was asked for first is answered first. */
class Server {
  readonly states = new Map<Channel, SubscriptionState>();
  readonly denied = new Set<Channel>();
  readonly confirmations = new Confirmations(ALWAYS, (channel) => this.states.get(channel) ?? null);
  /** To be answered; those of `ask` by a promise. */
  due: { channel: Channel; isAsked: boolean }[] = [];
  isUp = false;

  ask(channel: Channel): void {
    this.confirmations.askedFor(channel);
    this.due.push({ channel, isAsked: true });
    if (this.states.get(channel) !== "failed") this.states.set(channel, "pending");
  }

  add(topic: string): Channel {
    const channel = exactly(Buffer.from(topic));
    this.confirmations.topicAdded(topic, [channel]);
    this.ask(channel);
    return channel;
  }

  remove(topic: string): void {
    for (const channel of this.confirmations.topicRemoved(topic)) {
      this.states.delete(channel);
      this.due = this.due.filter((due) => due.channel !== channel);
    }
  }

  connect(): void {
    if (this.isUp) return;
    this.isUp = true;
    const asked = new Set(this.due.map(({ channel }) => channel));
    for (const channel of this.states.keys()) {
      this.states.set(channel, "pending");
      if (!asked.has(channel)) this.due.push({ channel, isAsked: false });
    }
    this.confirmations.connected();
  }

  lose(): void {
    this.isUp = false;
    this.due = this.due.filter(({ isAsked }) => isAsked);
    for (const [channel, state] of this.states)
      if (state === "confirmed") this.states.set(channel, "pending");
    this.confirmations.lost();
  }

  /** @returns what `wasConfirmed` and `wasRefused` say. */
  answer(): boolean | null {
    const due = this.isUp ? this.due.shift() : undefined;
    if (due === undefined) return null;
    const { channel, isAsked } = due;
    if (!this.denied.has(channel)) {
      this.states.set(channel, "confirmed");
      return isAsked ? this.confirmations.wasConfirmed(channel) : null;
    }
    if (!isAsked || this.states.get(channel) === "failed") this.states.set(channel, "failed");
    else this.states.delete(channel);
    return isAsked ? this.confirmations.wasRefused(channel) : null;
  }

  answerAll(): void {
    while (this.isUp && this.due.length > 0) this.answer();
  }
}

describe("Confirmations: when all that the server allows is in force", () => {
  it("with the last answer, on the connection that there is", () => {
    const server = new Server();
    const { confirmations } = server;
    server.ask(ALWAYS);
    server.add("a");
    expect(confirmations.isComplete).toBe(false);
    server.connect();
    server.answer();
    expect(confirmations.isComplete).toBe(false);
    server.answer();
    expect(confirmations.isComplete).toBe(true);
    server.lose();
    expect(confirmations.isComplete).toBe(false);
    server.connect();
    server.answer();
    expect(confirmations.isComplete).toBe(false);
    server.answer();
    expect(confirmations.isComplete).toBe(true);
  });

  it("what is refused is not waited for, is asked for again, and comes late when it is confirmed", () => {
    const server = new Server();
    const { confirmations } = server;
    server.connect();
    server.ask(ALWAYS);
    const a = server.add("a");
    server.denied.add(a);
    server.answer();
    expect(server.answer()).toBe(true);
    expect([confirmations.isComplete, confirmations.refused, confirmations.toAskAgain]).toEqual([
      true,
      [a],
      [a],
    ]);
    server.ask(a);
    expect([confirmations.isComplete, confirmations.toAskAgain]).toEqual([false, []]);
    server.denied.clear();
    expect(server.answer()).toBe(true);
    expect([confirmations.isComplete, confirmations.refused]).toEqual([true, []]);
    server.ask(a);
    expect(server.answer()).toBe(false);
  });

  it("nothing is in force without a connection, though all is refused", () => {
    const server = new Server();
    server.denied.add(ALWAYS);
    server.ask(ALWAYS);
    server.connect();
    server.answer();
    expect(server.confirmations.isComplete).toBe(true);
    server.lose();
    expect(server.confirmations.isComplete).toBe(false);
  });

  it("what was allowed before and is not now: refused, and no news when it is asked for in vain", () => {
    const server = new Server();
    const { confirmations } = server;
    server.connect();
    server.ask(ALWAYS);
    const a = server.add("a");
    server.answerAll();
    server.lose();
    server.denied.add(a);
    server.connect();
    server.answerAll();
    expect([confirmations.isComplete, confirmations.refused]).toEqual([true, [a]]);
    server.ask(a);
    expect(server.answer()).toBe(false);
    expect(confirmations.refused).toEqual([a]);
  });

  it("a topic that goes takes its questions and refusals with it", () => {
    const server = new Server();
    const { confirmations } = server;
    server.connect();
    server.ask(ALWAYS);
    const a = server.add("a");
    server.denied.add(a);
    server.answerAll();
    server.add("b");
    server.remove("a");
    server.remove("b");
    expect([confirmations.isComplete, confirmations.refused, confirmations.wanted]).toEqual([
      true,
      [],
      [ALWAYS],
    ]);
    expect(confirmations.topicRemoved("unknown")).toEqual([]);
    confirmations.topicAdded("a", [a]);
    expect(confirmations.refused).toEqual([]);
  });

  it("whatever is asked, refused, lost and registered in any order", () => {
    const topics = ["a", "b", "c"] as const;
    const topic = fc.constantFrom(...topics);
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant(["answer"] as const) },
      fc.constantFrom(["connect"] as const, ["lose"] as const, ["askAgain"] as const),
      fc.tuple(fc.constantFrom("add" as const, "remove" as const, "deny" as const, "allow" as const), topic),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const server = new Server();
        const { confirmations } = server;
        const channels = new Map<string, Channel>();
        server.ask(ALWAYS);
        for (const [what, name = ""] of steps) {
          const channel = channels.get(name);
          if (what === "answer") server.answer();
          else if (what === "connect") server.connect();
          else if (what === "lose") server.lose();
          else if (what === "askAgain") for (const one of confirmations.toAskAgain) server.ask(one);
          else if (what === "add" && channel === undefined) channels.set(name, server.add(name));
          else if (what === "remove" && channels.delete(name)) server.remove(name);
          else if (what === "deny" && channel !== undefined) server.denied.add(channel);
          else if (what === "allow" && channel !== undefined) server.denied.delete(channel);

          const wanted = [ALWAYS, ...channels.values()];
          expect(confirmations.wanted.length).toBe(wanted.length);
          // Complete is never too early, and never missed: exactly when nothing is due on a connection that is up.
          expect(confirmations.isComplete).toBe(server.isUp && server.due.length === 0);
          if (!confirmations.isComplete) continue;
          const isConfirmed = (one: Channel): boolean => server.states.get(one) === "confirmed";
          expect(new Set(confirmations.refused)).toEqual(new Set(wanted.filter((one) => !isConfirmed(one))));
          expect(confirmations.toAskAgain).toEqual(confirmations.refused);
        }
        server.connect();
        server.denied.clear();
        server.answerAll();
        for (const one of confirmations.toAskAgain) server.ask(one);
        server.answerAll();
        expect([confirmations.isComplete, confirmations.refused]).toEqual([true, []]);
      }),
      { numRuns: 300 },
    );
  });
});
