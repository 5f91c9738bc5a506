import { ZmqPubSub, ZmqPubSubMultiproc } from "../../src/drivers/index.ts";
import { readSetup, runChild } from "./child.ts";
import { eventsPath } from "./scene.ts";

const { folder, port } = readSetup();
const sub = new ZmqPubSubMultiproc({ publisherMultiprocSocket: eventsPath(folder) }).getSubscriber();
const pub = new ZmqPubSub({ publisherBindAddress: "127.0.0.1", publisherPort: port }).getPublisher();
runChild({
  async start() {
    await pub.initialize();
    await sub.initializeFrames((_e, f) => (f === null ? undefined : pub.sendFrames(f)));
    await sub.daemonize();
  },
  async end() {
    await sub.close();
    await pub.close();
  },
});
