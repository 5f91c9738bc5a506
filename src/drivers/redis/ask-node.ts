import { asText, type ConnectionOptions, RedisClient, ReplyError } from "../../redis-resp/index.ts";
import type { Environment } from "../../sockets/index.ts";
import { type AskNode, NO_CLUSTER, readClusterView } from "./cluster-view.ts";

/** ms for the dial, and again for the answer: a node that is frozen must not keep us from the others. */
const TIMEOUT = 2000;

/** What a server says to CLUSTER NODES that is no cluster, is too old, or does not let us ask. */
const TELLS_NOTHING = new Set(["ERR", "NOPERM"]);

/** Asks nodes by connections of their own, which do not keep the process alive: who needs the answer does. */
export function askNode(connection: ConnectionOptions, environment: Environment): AskNode {
  const unheld = { ...environment, hold: () => () => {} };
  return async (node) => {
    const timeouts = { connectTimeout: TIMEOUT, commandTimeout: TIMEOUT };
    const client = new RedisClient({ ...connection, ...timeouts, ...node }, unheld);
    try {
      await client.connect();
      const reply = await client.cluster("NODES").catch(refusal);
      return reply instanceof ReplyError ? NO_CLUSTER : readClusterView(String(asText(reply)), node.host);
    } finally {
      client.destroy();
    }
  };
}

function refusal(error: unknown): ReplyError {
  if (error instanceof ReplyError && TELLS_NOTHING.has(error.code)) return error;
  throw error;
}
