import { parseClusterNodes } from "../../redis-resp/cluster/parse-nodes.ts";
import { asText, type ConnectionOptions, RedisClient, ReplyError } from "../../redis-resp/index.ts";
import type { Environment } from "../../sockets/index.ts";
import type { NodeAddress } from "./node-address.ts";
import type { AskMasters } from "./redis-mgt.ts";

/** ms for the dial, and again for the answer: a node that is frozen must not keep us from the others. */
const TIMEOUT = 2000;

/** Asks nodes with connections of their own. Masters that have failed are left out. */
export function askMasters(connection: ConnectionOptions, environment: Environment): AskMasters {
  return async (node) => {
    const timeouts = { connectTimeout: TIMEOUT, commandTimeout: TIMEOUT };
    const client = new RedisClient({ ...connection, ...timeouts, ...node }, environment);
    try {
      await client.connect();
      return mastersOf(String(asText(await client.cluster("NODES"))), node);
    } catch (error) {
      // No cluster, too old to know of any, or a user who may not ask: the node is all that we have.
      if (error instanceof ReplyError && NO_CLUSTER.has(error.code)) return [node];
      throw error;
    } finally {
      client.destroy();
    }
  };
}

/** What a server says that lets us in, but tells nothing of a cluster. */
const NO_CLUSTER = new Set(["ERR", "NOPERM"]);

/** The masters in a reply to CLUSTER NODES, those in doubt only if there are no others. The asked one, if there are none at all. */
export function mastersOf(text: string, asked: NodeAddress): readonly NodeAddress[] {
  const masters = parseClusterNodes(text, asked.host).filter(({ role }) => role === "master");
  for (const health of ["online", "suspect"]) {
    const nodes = masters.filter((node) => node.health === health);
    if (nodes.length > 0) return nodes.map(({ host, port }) => ({ host, port }));
  }
  return [asked];
}
