import type { Environment, Timer } from "../../sockets/index.ts";
import { addressed, packMessage, topicFrame, type WireForm } from "../event/codec.ts";
import type { WireFields } from "../event/db-update.ts";
import { type Sequence, SequenceCounter } from "../event/sequence-counter.ts";
import type { EventFrames } from "./api.ts";

export interface EventPackerOptions {
  readonly wireForm: WireForm;
  /** Events carry numbers, so that their receivers find out which are missing. */
  readonly sequenceNumbers: boolean;
  /** ms between two looks at which topics are idle. */
  readonly sequenceInterval: number;
}

export interface EventPackerSetup {
  readonly options: EventPackerOptions;
  readonly transport: "zmq" | "redis";
  readonly environment: Environment;
  /** Sends an announcement if that can be done now. */
  readonly announce: (frames: EventFrames) => boolean;
}

/** Makes a publisher's events into frames, with numbers if it is to give them. */
export class EventPacker {
  readonly #setup: EventPackerSetup;
  readonly #counter: SequenceCounter | null;
  #timer: Timer | null = null;

  constructor(setup: EventPackerSetup) {
    const { options, environment } = setup;
    this.#setup = setup;
    this.#counter = options.sequenceNumbers ? new SequenceCounter(() => randomName(environment)) : null;
  }

  /** As {@link frames}. Each call is an event that will be missed, if it is not sent. */
  pack(update: WireFields, topic: string | null | undefined): EventFrames {
    const { options, transport } = this.#setup;
    const [frame, fields] = addressed(update, topic, options.wireForm, transport);
    const counter = this.#counter;
    if (counter === null) return [topicFrame(frame), packMessage(fields, options.wireForm)];
    const packed = this.#numbered(frame, fields, counter.next(frame));
    counter.used(frame);
    if (this.#timer === null) this.#tickLater(counter);
    return packed;
  }

  close(): void {
    this.#timer?.cancel();
  }

  #numbered(frame: string, fields: WireFields, sequence: Sequence): EventFrames {
    return [topicFrame(frame), packMessage(fields, this.#setup.options.wireForm, sequence)];
  }

  #tickLater(counter: SequenceCounter): void {
    const { options, environment, announce } = this.#setup;
    this.#timer = environment.setTimer(options.sequenceInterval, () => {
      this.#tickLater(counter);
      counter.tick((topic, last) => announce(this.#numbered(topic, announcement(topic), last)));
    });
  }
}

/** What the originals write to their log, and nothing else. */
function announcement(topic: string): WireFields {
  return { table: null, key: null, action: "log", value: null, topic };
}

/** 64 random bits. */
function randomName({ random }: Environment): string {
  const digits = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return digits() + digits();
}
