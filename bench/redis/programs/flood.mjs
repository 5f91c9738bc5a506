// Publishes commands that were made beforehand, through a real server.  flood.mjs PORT SIZE CHANNELS PREFIX
import { connect } from "node:net";
import { serve } from "../../programs/measure.mjs";
import { channelsOf, framesOf, writeFrames } from "./channels.mjs";

const [, , port, size, count, prefix] = process.argv;
const frames = framesOf("publish", channelsOf(Number(count), prefix), Number(size));
const socket = connect(Number(port), "127.0.0.1", () => console.log("ready"));
socket.resume(); // The numbers of receivers are read and dropped.

await serve({
  async flood(count) {
    await writeFrames(socket, frames, Number(count));
    return "written";
  },
});
