import { RedisClient, ReplyError } from "../../src/redis-resp/index.ts";

/** @throws {Error} when there is no server, or none that lets us in. */
export async function checkServer(server: string): Promise<void> {
  const client = clientOf(server);
  try {
    await client.connect();
  } catch (error) {
    throw new Error(`--redis ${server}: ${(error as Error).message}`, { cause: error });
  } finally {
    client.destroy();
  }
}

/** Has a server, or all masters of its cluster, end the connections of this name. @returns how many there were. */
export async function killConnections(server: string, name: string): Promise<number> {
  const clients = (await mastersOf(server)).map(clientOf);
  try {
    // All are listed before the first is killed: it comes back at another master.
    const ids = await Promise.all(clients.map((client) => idsOf(client, name)));
    const kills = clients.flatMap((client, index) =>
      ids[index]!.map((id) => client.command("CLIENT", "KILL", "ID", id)),
    );
    await Promise.allSettled(kills); // one may have gone by itself
    return kills.length;
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

async function idsOf(client: RedisClient, name: string): Promise<string[]> {
  const lines = String(await client.command("CLIENT", "LIST", { text: true })).split("\n");
  return lines.flatMap((line) => {
    const [, id, itsName] = /^id=(\d+) .*\bname=(\S*)/.exec(line) ?? [];
    return itsName === name ? [id!] : [];
  });
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
