// Stands in for a server: answers what clients ask at their start, and writes pushes that were made beforehand.
//
//   stand-in.mjs SIZE CHANNELS PREFIX
import { createServer } from "node:net";
import { serve } from "../../programs/measure.mjs";
import { channelsOf, framesOf, writeFrames } from "./channels.mjs";

const [, , size, count, prefix] = process.argv;
const { RespDecoder, asText } = await import(new URL("../../../dist/redis.js", import.meta.url).href);
const frames = framesOf("message", channelsOf(Number(count), prefix), Number(size));
let subscriber = null;

const INFO = "redis_version:7.0.15\r\nredis_mode:standalone\r\nloading:0\r\n";
const HELLO =
  "%7\r\n+server\r\n+redis\r\n+version\r\n+7.0.15\r\n+proto\r\n:3\r\n+id\r\n:1\r\n+mode\r\n+standalone\r\n" +
  "+role\r\n+master\r\n+modules\r\n*0\r\n";

function answer([command, ...rest]) {
  switch (command.toUpperCase()) {
    case "HELLO":
      return HELLO;
    case "INFO":
      return `$${INFO.length}\r\n${INFO}\r\n`;
    case "PING":
      return "+PONG\r\n";
    case "SUBSCRIBE":
      return rest
        .map((channel, i) => `>3\r\n$9\r\nsubscribe\r\n$${channel.length}\r\n${channel}\r\n:${i + 1}\r\n`)
        .join("");
    case "CLIENT":
      return rest[0].toUpperCase() === "MAINT_NOTIFICATIONS" ? "-ERR unknown subcommand\r\n" : "+OK\r\n";
    default:
      return `-ERR unknown command '${command}'\r\n`;
  }
}

const server = createServer((socket) => {
  const decoder = new RespDecoder();
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    decoder.push(chunk);
    for (let command = decoder.next(); command !== undefined; command = decoder.next()) {
      const words = asText(command);
      if (words[0].toUpperCase() === "SUBSCRIBE") subscriber = socket;
      socket.write(answer(words));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));

await serve({
  async flood(count) {
    await writeFrames(subscriber, frames, Number(count));
    return "written";
  },
});
