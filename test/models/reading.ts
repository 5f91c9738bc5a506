import { ABORTED, abortController, type Call } from "./actor.ts";

/** A call that receives, and what it got, once that is known. */
interface Read {
  messages: Uint8Array[][] | null;
}

/** A socket that receives. */
interface Readable {
  receive(options: { signal?: AbortSignal }): Promise<Uint8Array[]>;
  receiveBatch(options: { max: number }): Promise<Uint8Array[][]>;
}

/** Whose socket it is. */
interface ReadingOwner {
  readonly socket: Readable;
  fault(text: string): void;
  track(
    what: string,
    promise: Promise<Uint8Array[][]>,
    controller: AbortController | null,
    onResolved: (value: Uint8Array[][]) => void,
    onRejected: (error: { code?: string } | symbol) => void,
  ): Call;
  /** The application got a message. */
  took(parts: Uint8Array[]): void;
}

/** The calls that receive, of one socket. What they got is looked at in the order of the calls. */
export class Reading {
  readonly #owner: ReadingOwner;
  readonly #reads: Read[] = [];

  constructor(owner: ReadingOwner) {
    this.#owner = owner;
  }

  /** Whether calls have been made of which it is not known yet what they got. */
  get isUnderWay(): boolean {
    return this.#reads.length > 0;
  }

  /** So many calls one after the other, with one signal for all. */
  receive(how: "one" | "aborted" | "abortable", count: number): void {
    const { socket } = this.#owner;
    const controller = how === "one" ? null : abortController(how === "aborted");
    const options = controller === null ? {} : { signal: controller.signal };
    for (let i = 0; i < count; i += 1)
      this.#read("receive", controller, 1, () => socket.receive(options).then((parts) => [parts]));
  }

  receiveBatch(max: number): void {
    this.#read("receiveBatch", null, max, () => this.#owner.socket.receiveBatch({ max }));
  }

  #read(
    what: string,
    controller: AbortController | null,
    max: number,
    call: () => Promise<Uint8Array[][]>,
  ): void {
    const owner = this.#owner;
    const read: Read = { messages: null };
    this.#reads.push(read);
    const isAborted = controller?.signal.aborted === true;
    const got = (messages: Uint8Array[][]): void => {
      if (messages.length < 1 || messages.length > max) owner.fault(`a batch of ${messages.length}`);
      if (isAborted) owner.fault("took a message with a signal aborted beforehand");
      read.messages = messages;
      this.#inOrder();
    };
    const failed = (error: { code?: string } | symbol): void => {
      const isAbort = error === ABORTED && controller?.signal.aborted === true;
      if (!isAbort && (error as { code?: string }).code !== "EAGAIN")
        owner.fault(`${what}: ${String(error)}`);
      read.messages = [];
      this.#inOrder();
    };
    owner.track(what, call(), controller, got, failed);
  }

  /** Calls may settle in another order than they were served in: what counts is the order of the calls. */
  #inOrder(): void {
    for (let read = this.#reads[0]; read !== undefined && read.messages !== null; read = this.#reads[0]) {
      this.#reads.shift();
      for (const parts of read.messages) this.#owner.took(parts);
    }
  }
}
