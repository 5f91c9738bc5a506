// The publisher service of a host: from the writers' Unix socket to the controllers.
import { say, settings } from "./control.mjs";

const { PublisherService } = await import(settings.library);
const [publisherMultiprocSocket] = settings.addresses;
const service = new PublisherService({
  config: { publisherMultiprocSocket, publisherBindAddress: "127.0.0.1", publisherPort: 0 },
  onError(error) {
    throw error;
  },
});
service.events.on("listening", ({ publisher }) => say("listening", publisher));
await service.run();
