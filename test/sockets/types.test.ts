import { describe, expect, expectTypeOf, it } from "vitest";
import type {
  DisconnectReason,
  EventOfType,
  EventType,
  Message,
  PublisherOptions,
  PullOptions,
  PushOptions,
  Readable,
  SocketEvent,
  SocketOptions,
  SubscriberOptions,
  Writable,
  XPublisherOptions,
  XSubscriberOptions,
} from "../../src/index.ts";
import { Publisher, Pull, Push, Subscriber, XPublisher, XSubscriber } from "../../src/index.ts";

// What is said here of types is checked by `npm run typecheck`; run, it shows that the values agree.
describe("N-23: the types of sockets", () => {
  it("what sends is Writable, what receives is Readable", () => {
    const writables: Writable[] = [new Publisher(), new XPublisher(), new XSubscriber(), new Push()];
    const readables: Readable[] = [new Subscriber(), new XPublisher(), new XSubscriber(), new Pull()];
    for (const socket of writables)
      expect([typeof socket.send, typeof socket.trySend]).not.toContain("undefined");
    for (const socket of readables)
      expect([typeof socket.receive, typeof socket.receiveBatch]).not.toContain("undefined");
    expectTypeOf<Subscriber>().not.toMatchTypeOf<Writable>();
    expectTypeOf<Pull>().not.toMatchTypeOf<Writable>();
    expectTypeOf<Publisher>().not.toMatchTypeOf<Readable>();
    expectTypeOf<Push>().not.toMatchTypeOf<Readable>();
  });

  it("SocketOptions are what the constructors take", () => {
    expectTypeOf<SocketOptions<Publisher>>().branded.toEqualTypeOf<PublisherOptions>();
    expectTypeOf<SocketOptions<Subscriber>>().branded.toEqualTypeOf<SubscriberOptions>();
    expectTypeOf<SocketOptions<XPublisher>>().branded.toEqualTypeOf<XPublisherOptions>();
    expectTypeOf<SocketOptions<XSubscriber>>().branded.toEqualTypeOf<XSubscriberOptions>();
    expectTypeOf<SocketOptions<Push>>().branded.toEqualTypeOf<PushOptions>();
    expectTypeOf<SocketOptions<Pull>>().branded.toEqualTypeOf<PullOptions>();
    const options: SocketOptions<XPublisher> = { verbosity: "allSubs", linger: 3 };
    expect(new XPublisher(options)).toMatchObject(options);
  });

  it("options of another type, unknown ones and wrong values are errors of the compiler too", () => {
    // @ts-expect-error misspelt
    expect(() => new Publisher({ sendHighWatermark: 5 })).toThrow(TypeError);
    // @ts-expect-error a text
    expect(() => new Publisher({ linger: "1" })).toThrow(TypeError);
    // @ts-expect-error of sockets that receive
    expect(() => new Publisher({ receiveTimeout: 1 })).toThrow(TypeError);
    // @ts-expect-error no such verbosity
    expect(() => new XPublisher({ verbosity: "all" })).toThrow(/verbosity/);
    expect(() => {
      // @ts-expect-error only to be read
      new Push().closed = true;
    }).toThrow(TypeError);
  });

  it("events by their name", () => {
    expectTypeOf<EventOfType>().toEqualTypeOf<SocketEvent>();
    expectTypeOf<EventOfType<"disconnect">["reason"]>().toEqualTypeOf<DisconnectReason>();
    expectTypeOf<EventOfType<"connect:retry">["interval"]>().toEqualTypeOf<number>();
    expectTypeOf<"nothing">().not.toMatchTypeOf<EventType>();
    const push = new Push();
    push.events.on("disconnect", (event) => expectTypeOf(event.reason).toEqualTypeOf<DisconnectReason>());
    // @ts-expect-error no such event
    push.events.off("nothing", () => {});
  });

  it("the parts of a message may be missing", () => {
    const loop = async (sub: Subscriber): Promise<void> => {
      for await (const [topic, body] of sub)
        expectTypeOf([topic, body]).toEqualTypeOf<(Message[number] | undefined)[]>();
    };
    expectTypeOf(loop).toBeFunction();
  });
});
