import { asText, type ConnectionOptions, RedisClient, ReplyError } from "../../redis-resp/index.ts";
import type { Environment } from "../../sockets/index.ts";
import { type AskNode, NO_CLUSTER, readClusterView } from "./cluster-view.ts";

/** ms for the dial, and again for the answer: a node that is frozen must not keep us from the others. */
const TIMEOUT = 2000;

/** What a server says that lets us in, but tells nothing of a cluster: it is none, too old, or we may not ask. */
const TELLS_NOTHING = new Set(["ERR", "NOPERM"]);

/** Asks nodes with connections of their own. */
export function askNode(connection: ConnectionOptions, environment: Environment): AskNode {
  return async (node) => {
    const timeouts = { connectTimeout: TIMEOUT, commandTimeout: TIMEOUT };
    const client = new RedisClient({ ...connection, ...timeouts, ...node }, environment);
    try {
      await client.connect();
      return readClusterView(String(asText(await client.cluster("NODES"))), node.host);
    } catch (error) {
      if (error instanceof ReplyError && TELLS_NOTHING.has(error.code)) return NO_CLUSTER;
      throw error;
    } finally {
      client.destroy();
    }
  };
}
