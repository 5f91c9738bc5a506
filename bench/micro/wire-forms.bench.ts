import { packMessage, unpackMessage } from "../../src/drivers/event/codec.ts";
import { DbUpdate } from "../../src/drivers/event/db-update.ts";
import { suite } from "./suite.ts";

const value = JSON.stringify({
  id: "p1",
  lswitch: "s1",
  ips: ["10.0.0.1"],
  macs: ["fa:16:3e:00:00:01"],
  enabled: true,
});
const update = new DbUpdate({ table: "lport", key: "p1", action: "log", value, topic: "tenant-1" });

export async function run(): Promise<void> {
  for (const form of ["json", "map"] as const) {
    const bytes = packMessage(update, form);
    await suite(`Dragonflow's wire form ${form}, per event of ${bytes.length} bytes`, 1, {
      pack: () => () => void packMessage(update, form),
      unpack: () => () => void unpackMessage(bytes),
    });
  }
}
