// A controller of Dragonflow: its callback counts events, or ("paced") notes how old they are.
import { finishRoundTrips, nextRound, onStop, say, settings, Watch } from "./control.mjs";

const { ZmqPubSub } = await import(settings.library);
const subscriber = new ZmqPubSub({ onError }).getSubscriber();
let received = 0;
let take = () => {};
onStop(() => received);

function onError(error) {
  throw error;
}

await subscriber.initialize((_table, key, action) => {
  // Nothing may be lost, and there is no `sync` without a loss.
  if (action !== "log") throw new Error(`${action} in place of an event`);
  received += 1;
  take(key);
});
subscriber.registerListenAddress(settings.addresses[0]);
subscriber.registerTopic("tenant-1");
await subscriber.daemonize();
say("ready");

/** Resolves when all events of the round have come. */
function counted(count, watch) {
  return new Promise((resolve) => {
    take = (key) => {
      if (received >= watch.mark) {
        watch.note(received);
        if (Number(key) !== received - 1) throw new Error(`event ${key} came as number ${received - 1}`);
      }
      if (received === count) resolve();
    };
  });
}

function timed(count, ages) {
  return new Promise((resolve) => {
    take = (key) => {
      ages[received - 1] = Number(process.hrtime.bigint() - BigInt(key));
      if (received === count) resolve();
    };
  });
}

for (;;) {
  const count = await nextRound();
  received = 0;
  if (settings.pattern === "paced") {
    const ages = new Float64Array(count);
    const all = timed(count, ages);
    say("go");
    await all;
    finishRoundTrips(ages);
  } else {
    const watch = new Watch(count);
    await counted(count, watch);
    watch.finish(received);
  }
}
