/** Names of one length, as many as asked for. */
export function channelsOf(count, prefix) {
  return Array.from({ length: count }, (_, i) => `${prefix}:${String(i).padStart(5, "0")}`);
}

const bulk = (text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;

/** A push for each channel in an order of no pattern, or the PUBLISH for it; all of one length. */
export function framesOf(kind, channels, size) {
  const payload = "x".repeat(size);
  const head = kind === "message" ? `>3\r\n${bulk("message")}` : `*3\r\n${bulk("PUBLISH")}`;
  return channels
    .map((_, i) => channels[(i * 7919) % channels.length])
    .map((channel) => Buffer.from(head + bulk(channel) + bulk(payload)));
}

/** Writes `count` of the frames, from the first on and around, in chunks of about 64 KiB; never more than the stream takes. */
export function writeFrames(stream, frames, count) {
  const length = frames[0].length;
  const least = Math.ceil(65_536 / length / frames.length) * frames.length;
  const cycle = Buffer.concat(Array.from({ length: least }, (_, i) => frames[i % frames.length]));
  const most = Math.max(1, Math.floor(65_536 / length));
  return new Promise((resolve) => {
    let written = 0;
    function go() {
      while (written < count) {
        const at = written % least;
        const frames = Math.min(most, count - written, least - at);
        written += frames;
        if (!stream.write(cycle.subarray(at * length, (at + frames) * length)))
          return stream.once("drain", go);
      }
      resolve();
    }
    go();
  });
}
