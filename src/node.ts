import { nodeEnvironment } from "./runtime/node.ts";
import type { ContextOptions, ThreadOptions } from "./sockets/index.ts";
import * as sockets from "./sockets/index.ts";

const SHARED = Symbol.for("zmtp.context");

/** What sockets belong to. @see sockets.Context */
export class Context extends sockets.Context {
  static override readonly name: string = "Context";

  /** @throws {TypeError} for an unknown option or one of the wrong kind. @throws {ZmqError} EINVAL for one out of range. */
  constructor(options: Partial<ContextOptions & ThreadOptions> = {}) {
    super(nodeEnvironment(), options);
  }
}

/** The default context: one for the process, shared by the ESM and the CommonJS build. Made at its first use. */
export function nodeContext(): Context {
  const shared = globalThis as { [SHARED]?: Context };
  shared[SHARED] ??= new Context();
  return shared[SHARED];
}
