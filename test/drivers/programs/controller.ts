/**
 * A controller in a process of its own: `controller.ts <address> <options as JSON>`. Says what it hears, a line each: `event <key>`,
 * `sync`, `lost <reason>`, `inForce`. A line `block <ms>` on its standard input blocks its event loop for so long, between
 * the lines `blocking` and `unblocked`; `close` closes it.
 */
import { createInterface } from "node:readline";
import { ZmqPubSub } from "../../../src/drivers/index.ts";

const [address, options = "{}"] = process.argv.slice(2);
const subscriber = new ZmqPubSub(JSON.parse(options)).getSubscriber();
await subscriber.initialize((_table, key, action) => {
  console.log(action === "sync" ? "sync" : `event ${key}`);
});
subscriber.events.on("lost", ({ reason }) => console.log(`lost ${reason}`));
subscriber.events.on("inForce", () => console.log("inForce"));
subscriber.registerTopic("D");
subscriber.registerListenAddress(address!);
await subscriber.daemonize();
console.log("daemonized");

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  const [command, argument] = line.split(" ");
  if (command === "block") {
    console.log("blocking");
    const until = performance.now() + Number(argument);
    while (performance.now() < until);
    console.log("unblocked");
  }
  if (command === "close") {
    input.close();
    process.stdin.destroy();
    void subscriber.close();
  }
  // Nothing but the subscriber keeps the process alive from here on.
  if (command === "leave") {
    input.close();
    process.stdin.destroy();
    console.log("left");
  }
});
