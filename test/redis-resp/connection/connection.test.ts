import { describe, expect, it } from "vitest";
import { ConnectionWorld } from "../scripted.ts";

describe("commands and replies", () => {
  it("each reply goes to its own command, in order, pushes come in between", async () => {
    const world = new ConnectionWorld();
    world.ask("ONE");
    world.ask("TWO", Buffer.from([0, 255]));
    world.ask("THREE", 3);
    await world.settle();
    expect(world.server.take()).toBe(
      "*1\r\n$3\r\nONE\r\n*2\r\n$3\r\nTWO\r\n$2\r\n\0\xff\r\n*2\r\n$5\r\nTHREE\r\n$1\r\n3\r\n",
    );
    world.server.say("+first\r\n>2\r\n+invalidate\r\n+key\r\n-WRONGTYPE no\r\n:3\r\n");
    await world.settle();
    expect(world.logged()).toEqual(["ONE: first", "push invalidate key", "TWO! WRONGTYPE", "THREE: 3"]);
    expect(world.connection.pending).toBe(0);
  });

  it("the first command leaves at once, the rest of a turn in one write", async () => {
    const world = new ConnectionWorld();
    world.ask("A");
    expect(world.near.writes).toBe(1);
    for (let i = 0; i < 100; i++) world.ask("B", i);
    expect(world.near.writes).toBe(1);
    await world.settle();
    expect(world.near.writes).toBe(2);
    world.ask("C"); // not idle: the others are not answered
    expect(world.near.writes).toBe(2);
    await world.settle();
    expect(world.near.writes).toBe(3);
  });

  it("ioredis#2088: much in one turn is sent in pieces, never joined", () => {
    const world = new ConnectionWorld();
    for (let i = 0; i < 100; i++) world.ask("SET", "k", Buffer.alloc(1024));
    expect(world.near.writes).toBeGreaterThan(2);
    expect(world.near.writes).toBeLessThan(20);
  });

  it("a full stream is given nothing more until it drains", async () => {
    const world = new ConnectionWorld();
    world.network.capacity = 1000;
    world.ask("SET", "k", "x".repeat(2000));
    const { writes } = world.near;
    for (let i = 0; i < 10; i++) world.ask("SET", "k", "y".repeat(2000));
    await world.turns(1);
    expect(world.near.writes).toBe(writes);
    await world.settle(); // the server takes it all
    expect(world.server.take().match(/SET/g)).toHaveLength(11);
  });

  it("ENOBUFS when too many commands or bytes wait", async () => {
    const few = new ConnectionWorld({ maxQueuedCommands: 2 });
    for (const name of ["A", "B", "C"]) few.ask(name);
    expect(few.logged()).toEqual(["C! ENOBUFS"]);
    await few.settle();
    few.server.say("+a\r\n+b\r\n");
    await few.settle();
    few.ask("D");
    expect(few.logged()).toEqual(["A: a", "B: b"]);

    const short = new ConnectionWorld({ maxQueuedBytes: 1000 });
    short.network.capacity = 10;
    short.ask("A", "x".repeat(100)); // full from here on
    for (const name of ["B", "C", "D"]) short.ask(name, "x".repeat(600));
    expect(short.logged()).toEqual(["D! ENOBUFS"]);
  });
});

describe("the end", () => {
  it("what was sent is of unknown fate, what was not is not", async () => {
    const world = new ConnectionWorld();
    world.network.capacity = 10;
    world.near.stall();
    world.ask("SENT", "x".repeat(100));
    world.ask("ALSO", "x".repeat(100)); // waits for the stream to drain
    world.near.reset();
    await world.settle();
    expect(world.logged()).toEqual(["SENT! EUNKNOWN", "ALSO! ECONNRESET", "end ECONNRESET"]);
    expect(world.ends[0]).toMatchObject({ code: "ECONNRESET" });
    world.ask("LATE");
    world.fence("SUBSCRIBE", "a");
    expect(world.logged()).toEqual(["LATE! ECONNRESET", "SUBSCRIBE a done read ECONNRESET"]);
  });

  it("a loss in the middle of a value says so; the half is dropped", async () => {
    const world = new ConnectionWorld();
    world.ask("GET");
    await world.settle();
    world.server.say("$10\r\nabc");
    await world.settle();
    world.server.stream.destroy();
    await world.settle();
    expect(world.logged()).toEqual(["GET! EUNKNOWN", "end ECONNRESET"]);
    expect(world.ends[0]?.message).toBe("the server closed the connection in the middle of a value");
  });

  it("malformed bytes reject all that wait, and close; what is behind them is not read (node-redis#3209)", async () => {
    const world = new ConnectionWorld();
    world.ask("A");
    world.ask("B");
    world.ask("C");
    await world.settle();
    world.server.say("+a\r\n@oops\r\n+b\r\n>2\r\n+message\r\n+x\r\n");
    await world.settle();
    expect(world.logged()).toEqual(["A: a", "B! EUNKNOWN", "C! EUNKNOWN", "end EPROTO"]);
    expect(world.ends[0]).toMatchObject({
      code: "EPROTO",
      offset: 4,
      excerpt: "40 6f 6f 70 73 0d 0a 2b 62 0d 0a 3e 32 0d 0a 2b",
    });
    world.connection.onData(Buffer.from("+late\r\n>2\r\n+message\r\n+y\r\n"));
    expect(world.logged()).toEqual([]);
    await world.settle();
    expect(world.server.isEnded).toBe(true);
  });

  it("a reply to no command ends it; an error to none is the server's farewell", async () => {
    const world = new ConnectionWorld();
    world.server.say("+OK\r\n");
    await world.settle();
    expect(world.logged()).toEqual(["end EPROTO"]);

    const full = new ConnectionWorld();
    full.server.say("-ERR max number of clients reached\r\n");
    await full.settle();
    expect(full.ends).toMatchObject([{ code: "ERR", message: "ERR max number of clients reached" }]);
  });

  it("leaves no timer, and is told once", async () => {
    const world = new ConnectionWorld({ commandTimeout: 50 });
    world.ask("A");
    await world.settle();
    world.connection.destroy();
    world.connection.destroy();
    world.near.reset();
    await world.advance(100_000);
    expect(world.logged()).toEqual(["A! EUNKNOWN", "end ECONNABORTED"]);
    expect(world.left).toEqual({ holds: 0, timers: 0, streams: 0, listeners: 0 });
  });
});

describe("time", () => {
  it("PING after 15 s of silence, the end 5 s after that", async () => {
    const world = new ConnectionWorld();
    await world.advance(14_999);
    expect(world.server.take()).toBe("");
    await world.advance(1);
    expect(world.server.take()).toBe("*1\r\n$4\r\nPING\r\n");
    await world.advance(4999);
    expect(world.ends).toEqual([]);
    await world.advance(1);
    expect(world.ends).toMatchObject([{ code: "ETIMEDOUT", message: "no answer to a PING within 5000 ms" }]);
  });

  it("any byte is a sign of life, half a value too", async () => {
    const world = new ConnectionWorld();
    world.ask("GET");
    await world.advance(15_000);
    expect(world.server.take()).toContain("PING");
    world.server.say("$3\r");
    await world.advance(14_999);
    expect(world.server.take()).toBe("");
    await world.advance(1);
    expect(world.server.take()).toContain("PING");
    world.server.say("\nabc\r\n+PONG\r\n+PONG\r\n");
    await world.settle();
    expect(world.logged()).toEqual(["GET: abc"]);
    expect(world.ends).toEqual([]);
  });

  it("never a timer for each command", async () => {
    const world = new ConnectionWorld({ commandTimeout: 1000 });
    for (let turn = 0; turn < 50; turn++) {
      for (let i = 0; i < 20; i++) world.ask("GET", i);
      await world.settle();
      world.server.say("+x\r\n".repeat(20));
      await world.advance(1);
    }
    expect(world.logged()).toHaveLength(1000);
    expect(world.timersSet).toBeLessThanOrEqual(3);
    expect(world.timers.size).toBe(1);
  });

  it("pingInterval 0: never a PING", async () => {
    const world = new ConnectionWorld({ pingInterval: 0 });
    await world.advance(1_000_000);
    expect(world.server.received).toBe("");
    expect(world.timersSet).toBe(0);
  });

  it("a deadline that is judged late lets what has come be read first", async () => {
    const world = new ConnectionWorld();
    await world.advance(15_000);
    world.server.say("+PONG\r\n"); // arrives while we stand still
    await world.block(60_000);
    expect(world.ends).toEqual([]);
    world.ask("GET");
    await world.settle();
    world.server.say("+x\r\n");
    await world.settle();
    expect(world.logged()).toEqual(["GET: x"]);
  });

  it("commandTimeout: rejected as of unknown fate, once; its reply is still its own", async () => {
    const world = new ConnectionWorld({ commandTimeout: 100 });
    world.ask("SLOW");
    world.ask("ALSO");
    await world.advance(60);
    world.ask("NEXT");
    await world.advance(50);
    expect(world.logged()).toEqual(["SLOW! EUNKNOWN", "ALSO! EUNKNOWN"]);
    await world.advance(60);
    expect(world.logged()).toEqual(["NEXT! EUNKNOWN"]);
    world.ask("LAST");
    await world.settle();
    world.server.say("+slow\r\n+also\r\n+next\r\n+last\r\n");
    await world.settle();
    expect(world.logged()).toEqual(["LAST: last"]);
    world.ask("A");
    await world.advance(99);
    world.server.say("+a\r\n");
    await world.advance(10_000);
    expect(world.logged()).toEqual(["A: a"]);
  });
});

describe("fences: commands that are answered by pushes (valkey#1066)", () => {
  it("RESP3: ends at the PING, pushes before", async () => {
    const world = new ConnectionWorld();
    world.connection.protocol = 3;
    world.fence("SUBSCRIBE", "a");
    world.ask("GET");
    await world.settle();
    expect(world.server.take()).toBe(
      "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n*1\r\n$3\r\nGET\r\n",
    );
    world.server.say(">3\r\n+subscribe\r\n+a\r\n:1\r\n+PONG\r\n+value\r\n");
    await world.settle();
    expect(world.logged()).toEqual(["push subscribe a 1", "SUBSCRIBE a done well", "GET: value"]);
  });

  it("an error before the PING's answer is the command's, and hits no other", async () => {
    const world = new ConnectionWorld();
    world.connection.protocol = 3;
    world.fence("SUNSUBSCRIBE", "a");
    world.ask("GET");
    await world.settle();
    world.server.say(">3\r\n+sunsubscribe\r\n+a\r\n:0\r\n-MOVED 1 h:1\r\n+PONG\r\n+value\r\n");
    await world.settle();
    expect(world.logged()).toEqual([
      "push sunsubscribe a 0",
      "SUNSUBSCRIBE a done MOVED 1 h:1",
      "GET: value",
    ]);
  });

  it("RESP2: confirmations and PONGs are arrays", async () => {
    const world = new ConnectionWorld({ protocol: 2 });
    world.connection.enterSubscriberMode();
    world.fence("SUBSCRIBE", "a");
    world.fence("SUBSCRIBE", "b");
    await world.settle();
    world.server.say("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    world.server.say(
      "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nm\r\n-NOPERM b\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n",
    );
    await world.settle();
    expect(world.logged()).toEqual([
      "push subscribe a 1",
      "SUBSCRIBE a done well",
      "push message a m",
      "SUBSCRIBE b done NOPERM b",
    ]);
  });

  it.each(["NOPERM no", "LOADING Redis is loading", "MISCONF unable to persist", "BUSY running a script"])(
    "%s, as the answer to the PING behind a command that was confirmed, refused, or both told alike",
    async (refusal) => {
      const world = new ConnectionWorld();
      world.fence("SUBSCRIBE", "a", "b");
      world.fence("SUBSCRIBE", "c");
      world.fence("UNSUBSCRIBE", "a");
      world.ask("GET");
      await world.settle();
      world.server.say(`>3\r\n+subscribe\r\n+a\r\n:1\r\n>3\r\n+subscribe\r\n+b\r\n:2\r\n-${refusal}\r\n`);
      world.server.say(`-${refusal}\r\n-${refusal}\r\n`);
      world.server.say(`>3\r\n+unsubscribe\r\n+a\r\n:1\r\n-${refusal}\r\n+value\r\n`);
      await world.settle();
      expect(world.logged()).toEqual([
        "push subscribe a 1",
        "push subscribe b 2",
        "SUBSCRIBE a b done well",
        `SUBSCRIBE c done ${refusal}`,
        "push unsubscribe a 1",
        "UNSUBSCRIBE a done well",
        "GET: value",
      ]);
    },
  );

  it("the server's own sunsubscribe is no answer, whoever may not PING", async () => {
    const world = new ConnectionWorld();
    world.fence("SSUBSCRIBE", "c");
    world.fence("SUNSUBSCRIBE", "a", "b");
    await world.settle();
    world.server.say(">3\r\n+sunsubscribe\r\n+a\r\n:1\r\n-NOPERM no channel\r\n-NOPERM no ping\r\n");
    world.server.say(">3\r\n+sunsubscribe\r\n+b\r\n:0\r\n-MOVED 1 h:1\r\n-NOPERM no ping\r\n");
    world.ask("GET");
    await world.settle();
    world.server.say("+value\r\n");
    await world.settle();
    expect(world.logged()).toEqual([
      "push sunsubscribe a 1",
      "SSUBSCRIBE c done NOPERM no channel",
      "push sunsubscribe b 0",
      "SUNSUBSCRIBE a b done MOVED 1 h:1",
      "GET: value",
    ]);
  });

  it.each(["MOVED 1 h:1", "CLUSTERDOWN no slot", "CROSSSLOT no"])(
    "%s, once the server's own sunsubscribe has come for each channel, is the command's",
    async (refusal) => {
      const world = new ConnectionWorld();
      world.fence("SUNSUBSCRIBE", "a", "b");
      world.ask("GET");
      await world.settle();
      const own = ["a", "b"].map((name) => `>3\r\n+sunsubscribe\r\n+${name}\r\n:0\r\n`).join("");
      world.server.say(`${own}-${refusal}\r\n+PONG\r\n+value\r\n`);
      await world.settle();
      expect(world.logged().slice(2)).toEqual([`SUNSUBSCRIBE a b done ${refusal}`, "GET: value"]);
    },
  );

  it("commandTimeout is not for them: the PING's own deadline is", async () => {
    const world = new ConnectionWorld({ commandTimeout: 10, pingInterval: 100, pingTimeout: 50 });
    world.fence("SUBSCRIBE", "a");
    await world.advance(149);
    expect(world.logged()).toEqual([]);
    await world.advance(1);
    expect(world.logged()).toEqual([
      expect.stringContaining("SUBSCRIBE a done sent, but not answered"),
      "end ETIMEDOUT",
    ]);
  });
});
