import { join } from "node:path";
import { SEND_ALL_TOPIC } from "../../src/drivers/index.ts";

/** The table that all events of the demo concern. */
export const TABLE = "lport";
/** Objects on each topic. */
export const KEYS_PER_TOPIC = 50;
/** One event of so many goes to everybody. */
export const SEND_ALL_EVERY = 10;

/** One topic for each controller to share with its neighbour. */
export function tenantTopics(controllers: number): string[] {
  return Array.from({ length: controllers }, (_, index) => `tenant-${index + 1}`);
}

/** What controller `index` (from 0) follows: its own tenant, the next controller's too, and what goes to everybody. */
export function topicsOf(index: number, controllers: number): string[] {
  const tenants = tenantTopics(controllers);
  return [...new Set([tenants[index]!, tenants[(index + 1) % controllers]!, SEND_ALL_TOPIC])];
}

/** The Unix socket of the store, in the demo's folder. */
export const storePath = (folder: string): string => join(folder, "store.sock");
/** The Unix socket on which the publisher service hears the writers. */
export const eventsPath = (folder: string): string => join(folder, "events.sock");
/** What connections to a Redis server are called, by the port that this run was given. */
export const clientName = (port: number): string => `zmtp-demo-${port}`;
/** Where the publisher service publishes. */
export const publisherAddress = (port: number): string => `tcp://127.0.0.1:${port}`;
