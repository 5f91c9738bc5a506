import { readFileSync } from "node:fs";
import { DbUpdate, type DbUpdateOptions, type JsonValue, type WireForm } from "../../src/drivers/index.ts";

/** What the real Dragonflow sends, and what its subscriber calls back with: fixtures/dragonflow-wire.json. */

/** A long payload is given by its ends. */
export type Hex = string | { bytes: number; head_hex: string; tail_hex: string };

export interface Sent {
  /** The original has failed. */
  error?: string;
  topic_hex: string;
  data_hex: Hex;
  data_py2_order_hex?: Hex;
}

type Callback = Required<Pick<DbUpdateOptions, "table" | "key" | "action" | "topic">> & {
  value?: JsonValue;
  value_length?: number;
};

export type Sample = {
  name: string;
  event: DbUpdateOptions & { send_topic?: string; value_repeat?: [string, number] };
} & Record<"2016" | "2019", { zmq: Sent; redis: Sent; callback: Callback }>;

const fixture = new URL("../fixtures/dragonflow-wire.json", import.meta.url);
export const samples: readonly Sample[] = JSON.parse(readFileSync(fixture, "utf8")).samples;

export const ERAS: readonly (readonly ["2016" | "2019", WireForm])[] = [
  ["2016", "json"],
  ["2019", "map"],
];

export function updateOf({ event }: Sample): DbUpdate {
  const { value_repeat: repeat } = event;
  return new DbUpdate({ ...event, value: repeat ? repeat[0].repeat(repeat[1]) : (event.value ?? null) });
}

/** @param like what it is to be compared with. */
export function hexOf(payload: Uint8Array, like: Hex): Hex {
  const hex = Buffer.from(payload).toString("hex");
  if (typeof like === "string") return hex;
  return {
    bytes: payload.length,
    head_hex: hex.slice(0, like.head_hex.length),
    tail_hex: hex.slice(-like.tail_hex.length),
  };
}
