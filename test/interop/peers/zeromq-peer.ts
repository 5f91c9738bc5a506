import * as zeromq from "zeromq";
import { serve } from "./serve.ts";
import { type Library, Station } from "./station.ts";

// libzmq through npm's zeromq. A publisher hears of subscriptions only while its application is in a call, so it is
// asked for its state all the time.
const NUDGE_INTERVAL = 5;

serve(
  (onEvent) =>
    new Station(zeromq as unknown as Library, onEvent, (socket, kind) => {
      if (kind !== "Publisher") return;
      const publisher = socket as unknown as zeromq.Publisher;
      const timer = setInterval(() => {
        if (publisher.closed) clearInterval(timer);
        else void publisher.writable;
      }, NUDGE_INTERVAL);
    }),
);
