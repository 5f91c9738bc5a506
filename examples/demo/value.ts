/** What an event tells, as JSON text. */
export interface EventValue {
  readonly writer: number;
  /** The writer's `n`th event on its topic. */
  readonly n: number;
  /** Machine time, ms. */
  readonly sentAt: number;
}

/** @param size bytes of the text, all ASCII; more only if what it tells needs more. */
export function eventValue({ writer, n, sentAt }: EventValue, size: number): string {
  const told = `{"writer":${writer},"n":${n},"sentAt":${sentAt.toFixed(3)},"pad":"`;
  return `${told}${"x".repeat(Math.max(0, size - told.length - 2))}"}`;
}

export function readValue(text: string): EventValue {
  return JSON.parse(text) as EventValue;
}
