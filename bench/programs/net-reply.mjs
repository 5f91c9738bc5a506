import { say, settings } from "./control.mjs";
import { listen } from "./net.mjs";

const { address, accepted } = await listen(settings.addresses[0]);
say("listening", address);
const socket = await accepted;
socket.on("data", (chunk) => socket.write(chunk));
