import { PublisherService, ZmqPubSub, ZmqPubSubMultiproc } from "../../src/drivers/index.ts";
import { fail, readSetup, runChild } from "./child.ts";
import { eventsPath } from "./scene.ts";

/** The publisher service: hears the writers on a Unix socket, publishes to the controllers over tcp. */
const { folder, port } = readSetup();
const writers = new ZmqPubSubMultiproc({ publisherMultiprocSocket: eventsPath(folder) });
const controllers = new ZmqPubSub({ publisherBindAddress: "127.0.0.1", publisherPort: port });
const service = new PublisherService({
  subscriber: writers.getSubscriber(),
  publisher: controllers.getPublisher(),
});

runChild({
  async start() {
    const listening = new Promise((resolve) => {
      service.events.on("listening", resolve);
    });
    service.run().catch(fail); // after `listening`, it resolves when the service is closed
    await listening;
  },
  end: () => service.close(),
});
