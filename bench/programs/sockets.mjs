// The sockets of a cell, from either library: the constructors and options are the same.
import { settings, topic } from "./control.mjs";

const { library, pattern, highWaterMark } = settings;
const zmq = await import(library);

export function newSender() {
  if (pattern === "pub-sub") return new zmq.Publisher({ sendHighWaterMark: highWaterMark });
  return new zmq.Push({ sendHighWaterMark: highWaterMark });
}

export function newReceiver() {
  if (pattern === "push-pull") return new zmq.Pull({ receiveHighWaterMark: highWaterMark });
  const subscriber = new zmq.Subscriber({ receiveHighWaterMark: highWaterMark });
  subscriber.subscribe(topic);
  return subscriber;
}

export { zmq };
