/** One line to standard error: the time in UTC, how grave it is, and the message. */
export function log(level: "INFO" | "WARNING" | "ERROR", message: string): void {
  // What peers and files say must not pass for lines of ours.
  const line = message.replace(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
  process.stderr.write(`${new Date().toISOString()} ${level} ${line}\n`);
}
