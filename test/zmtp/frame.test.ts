import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../src/errors.ts";
import {
  encodeFrame,
  encodeMessage,
  type Frame,
  FrameDecoder,
  type FrameLimits,
} from "../../src/zmtp/frame.ts";
import { almostFrames, chunked, chunking, message } from "../generators/index.ts";
import { byteByByte, cut } from "../support/chunks.ts";
import { filled, hex, join, text } from "../support/hex.ts";

function decode(chunks: Uint8Array[], limits: FrameLimits = {}): Frame[] {
  const decoder = new FrameDecoder(limits);
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let frame = decoder.next(); frame !== null; frame = decoder.next()) frames.push(frame);
  }
  return frames;
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error);
  }
  return undefined;
}

describe("FR-1, FR-3: RFC 37, Framing", () => {
  it("B-10: a body of up to 255 bytes is sent with a short size, from 256 on with a long one", () => {
    expect(encodeMessage([new Uint8Array(0)])).toEqual(hex("00 00"));
    expect(encodeMessage([hex('"hi"')])).toEqual(hex('00 02 "hi"'));
    expect(encodeMessage([filled(254)])).toEqual(join(hex("00 fe"), filled(254)));
    expect(encodeMessage([filled(255)])).toEqual(join(hex("00 ff"), filled(255)));
    expect(encodeMessage([filled(256)])).toEqual(join(hex("02 00 00 00 00 00 00 01 00"), filled(256)));
    expect(encodeMessage([filled(70_000)]).subarray(0, 9)).toEqual(hex("02 00 00 00 00 00 01 11 70"));
  });

  it("MORE is set on every part but the last", () => {
    expect(encodeMessage([hex('"a"'), filled(256), hex('"c"')])).toEqual(
      join(hex('01 01 "a" 03 00 00 00 00 00 00 01 00'), filled(256), hex('00 01 "c"')),
    );
  });

  it("a long command has COMMAND and LONG", () => {
    expect(encodeFrame(4, filled(256)).subarray(0, 9)).toEqual(hex("06 00 00 00 00 00 00 01 00"));
  });

  it("B-13: the long form is accepted for any size, the short one up to 255", () => {
    const wire = join(
      hex('02 00 00 00 00 00 00 00 05 "hello"'),
      hex("02 00 00 00 00 00 00 00 00"),
      join(hex("00 ff"), filled(255)),
      join(hex("02 00 00 00 00 00 00 00 ff"), filled(255)),
      hex('06 00 00 00 00 00 00 00 04 03 "FOO"'),
    );
    const frames = decode([wire]);
    expect(frames.map((frame) => frame.body)).toEqual([
      hex('"hello"'),
      hex(""),
      filled(255),
      filled(255),
      hex('03 "FOO"'),
    ]);
    expect(frames.map((frame) => frame.flags)).toEqual([2, 2, 0, 2, 6]);
  });
});

describe("FR-2, FR-4: flags", () => {
  it("every reserved bit is refused, at the flags octet alone", () => {
    for (const flags of [0x08, 0x10, 0x20, 0x40, 0x80, 0x09, 0xf4, 0xf8]) {
      expect(codeOf(() => decode([Uint8Array.of(flags)]))).toBe("ERR_ZMTP_FRAME");
    }
  });

  it("MORE on a command is refused", () => {
    expect(codeOf(() => decode([hex("05")]))).toBe("ERR_ZMTP_FRAME");
    expect(codeOf(() => decode([hex("07")]))).toBe("ERR_ZMTP_FRAME");
  });
});

describe("FR-6: empty frames", () => {
  it("are frames", () => {
    expect(decode([hex("00 00 01 00")]).map((frame) => [frame.flags, frame.body.length])).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });
});

describe("FR-7: maxFrameSize", () => {
  it("refuses a frame from its header, before any of its body", () => {
    expect(decode([join(hex("00 1e"), filled(30))], { maxFrameSize: 30 })).toHaveLength(1);
    expect(codeOf(() => decode([hex("00 1f")], { maxFrameSize: 30 }))).toBe("ERR_ZMTP_FRAME_TOO_LARGE");
    expect(codeOf(() => decode([hex("04 1f")], { maxFrameSize: 30 }))).toBe("ERR_ZMTP_FRAME_TOO_LARGE");
    expect(codeOf(() => decode([hex("02 00 00 01 00 00 00 00 00")], { maxFrameSize: 1e6 }))).toBe(
      "ERR_ZMTP_FRAME_TOO_LARGE",
    );
  });

  it("does not add up over the parts of a message", () => {
    const wire = join(hex("01 14"), filled(20), hex("00 14"), filled(20));
    expect(decode([wire], { maxFrameSize: 30 })).toHaveLength(2);
  });
});

describe("maxMessageBytes", () => {
  const message = join(hex("01 0a"), filled(10), hex("00 14"), filled(20));

  it("counts size + 64 for each part", () => {
    expect(decode([message, message], { maxMessageBytes: 158 })).toHaveLength(4);
    expect(codeOf(() => decode([message], { maxMessageBytes: 157 }))).toBe("ERR_ZMTP_MESSAGE_TOO_LARGE");
  });

  it("refuses the part that exceeds it from its header", () => {
    expect(codeOf(() => decode([hex("02 00 00 00 00 7f ff ff ff")], { maxMessageBytes: 1e6 }))).toBe(
      "ERR_ZMTP_MESSAGE_TOO_LARGE",
    );
    expect(codeOf(() => decode([hex("01 00 01 00 01")], { maxMessageBytes: 128 }))).toBeUndefined();
    expect(codeOf(() => decode([hex("01 00 01 00 01 00")], { maxMessageBytes: 128 }))).toBe(
      "ERR_ZMTP_MESSAGE_TOO_LARGE",
    );
  });

  it("counts a command in the middle of a message by itself", () => {
    const wire = join(hex('01 01 "a" 04 04 03 "FOO" 00 01 "b"'));
    expect(decode([wire], { maxMessageBytes: 130 })).toHaveLength(3);
    expect(codeOf(() => decode([hex("06 00 00 00 00 7f ff ff ff")], { maxMessageBytes: 130 }))).toBe(
      "ERR_ZMTP_MESSAGE_TOO_LARGE",
    );
  });
});

describe("FR-8, E16: sizes that nothing can have", () => {
  it("B-11: 2^63 and more, and what a number cannot hold exactly, is refused", () => {
    for (const size of ["80 00 00 00 00 00 00 00", "ff ff ff ff ff ff ff ff", "00 20 00 00 00 00 00 00"]) {
      expect(codeOf(() => decode([hex(`02 ${size}`)]))).toBe("ERR_ZMTP_FRAME");
    }
  });

  it("N-8: a size that is only declared costs no memory", () => {
    for (const size of ["00 00 00 00 80 00 00 00", "00 1f ff ff ff ff ff ff", "00 00 01 00 00 00 00 00"]) {
      let allocated = 0;
      const decoder = new FrameDecoder({}, (bytes) => {
        allocated += bytes;
        return new Uint8Array(bytes);
      });
      decoder.push(hex(`02 ${size} 01 02 03`));
      expect(decoder.next()).toBeNull();
      decoder.push(filled(1000));
      expect(decoder.next()).toBeNull();
      expect(decoder.isPartial).toBe(true);
      expect(allocated).toBe(0);
    }
  });
});

describe("E17, E20: many frames, and sizes that alternate", () => {
  it("a million empty frames in one chunk are read one after the other", () => {
    const wire = new Uint8Array(2e6);
    for (let i = 0; i < wire.length; i += 2) wire[i] = 1;
    expect(decode([wire])).toHaveLength(1e6);
  });

  it("large and small bodies in turn, in chunks of 64 KiB", () => {
    const large = filled(1 << 20);
    const wire = encodeMessage([large, hex("01"), large, hex("02")]);
    const offsets = Array.from({ length: wire.length >> 16 }, (_, i) => (i + 1) << 16);
    const bodies = decode(cut(wire, offsets)).map((frame) => frame.body);
    expect(bodies.map((body) => body.length)).toEqual([1 << 20, 1, 1 << 20, 1]);
    expect(Buffer.compare(bodies[0] as Uint8Array, large)).toBe(0);
    expect(Buffer.compare(bodies[2] as Uint8Array, large)).toBe(0);
  });
});

describe("FrameDecoder", () => {
  it("hands out a view of a body in one chunk, and one copy of a body that spans chunks", () => {
    const wire = join(hex("00 04"), filled(4), hex("00 04"), filled(4, 9));
    const chunks = cut(wire, [9]);
    const sizes: number[] = [];
    const decoder = new FrameDecoder({}, (size) => {
      sizes.push(size);
      return new Uint8Array(size);
    });
    for (const chunk of chunks) decoder.push(chunk);
    expect(decoder.next()?.body.buffer).toBe(chunks[0]?.buffer);
    expect(decoder.next()?.body).toEqual(filled(4, 9));
    expect(sizes).toEqual([4]);
  });

  it("knows whether a frame is cut", () => {
    const decoder = new FrameDecoder();
    const states = byteByByte(hex('00 02 "hi"')).map((chunk) => {
      decoder.push(chunk);
      decoder.next();
      return decoder.isPartial;
    });
    expect(states).toEqual([true, true, true, false]);
  });

  it("B-12: gives back what was encoded, however the bytes are cut", () => {
    fc.assert(
      fc.property(message({ isLarge: true }), chunking(), (bodies, cuts) => {
        const frames = decode(chunked(encodeMessage(bodies), cuts));
        expect(frames.map(({ body }, i) => Buffer.compare(body, bodies[i] as Uint8Array))).toEqual(
          bodies.map(() => 0),
        );
        expect(frames.map((frame) => frame.flags & 1)).toEqual(
          bodies.map((_, i) => (i < bodies.length - 1 ? 1 : 0)),
        );
      }),
    );
  });

  it("makes frames or a ProtocolError of arbitrary bytes, the same however they are cut", () => {
    const outcome = (chunks: Uint8Array[]): string => {
      let seen = "";
      const decoder = new FrameDecoder({ maxFrameSize: 1000, maxMessageBytes: 700 });
      try {
        for (const chunk of chunks) {
          decoder.push(chunk);
          for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
            seen += `${frame.flags} ${text(frame.body)};`;
          }
        }
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        seen += (error as ProtocolError).code;
      }
      return seen;
    };
    fc.assert(
      fc.property(almostFrames(), chunking(), (bytes, cuts) => {
        expect(outcome(chunked(bytes, cuts))).toBe(outcome([bytes]));
      }),
    );
  });
});
