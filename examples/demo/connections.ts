import { RedisClient, ReplyError } from "../../src/redis-resp/index.ts";

/** Has a server, or all masters of its cluster, end the connections of this name. @returns how many there were. */
export async function killConnections(server: string, name: string): Promise<number> {
  let killed = 0;
  for (const master of await mastersOf(server)) {
    await using client = clientOf(master);
    const list = String(await client.command("CLIENT", "LIST", { text: true }));
    for (const line of list.split("\n")) {
      const [, id, itsName] = /^id=(\d+) .*\bname=(\S*)/.exec(line) ?? [];
      if (itsName !== name) continue;
      await client.command("CLIENT", "KILL", "ID", id!).catch(() => {}); // gone by itself
      killed += 1;
    }
  }
  return killed;
}

async function mastersOf(server: string): Promise<string[]> {
  await using client = clientOf(server);
  try {
    const lines = String(await client.command("CLUSTER", "NODES", { text: true })).split("\n");
    const masters = lines.filter((line) => /\bmaster\b(?!,fail)/.test(line.split(" ")[2] ?? ""));
    return masters.map((line) => line.split(" ")[1]!.replace(/@.*/, ""));
  } catch (error) {
    if (error instanceof ReplyError) return [server]; // no cluster
    throw error;
  }
}

function clientOf(server: string): RedisClient {
  const colon = server.lastIndexOf(":");
  const host = server.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return new RedisClient({ host, port: Number(server.slice(colon + 1)), commandTimeout: 5000 });
}
