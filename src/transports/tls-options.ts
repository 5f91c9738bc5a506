import { ZmqError } from "../errors.ts";

type Kind = readonly [description: string, holds: (value: unknown) => boolean];

const isMaterial = (value: unknown): boolean => typeof value === "string" || ArrayBuffer.isView(value);
/** In a list, with a passphrase of its own. */
const isLocked = (value: unknown, name: "pem" | "buf"): boolean =>
  isMaterial((value as Record<string, unknown> | null | undefined)?.[name]);
const isList = (value: unknown, holds: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(holds);

const TEXT: Kind = ["a string", (value) => typeof value === "string"];
const FLAG: Kind = ["a boolean", (value) => typeof value === "boolean"];
const NUMBER: Kind = ["a number", (value) => typeof value === "number"];
const FUNCTION: Kind = ["a function", (value) => typeof value === "function"];
const MATERIAL: Kind = [
  "text or bytes, or a list of them",
  (value) => isMaterial(value) || isList(value, isMaterial),
];
const lockable = (name: "pem" | "buf"): Kind => [
  "text or bytes, or a list of them",
  (value) => isMaterial(value) || isList(value, (one) => isMaterial(one) || isLocked(one, name)),
];

/** What is not named here is left to node:tls. */
const KINDS: Readonly<Record<string, Kind>> = {
  ca: MATERIAL,
  cert: MATERIAL,
  crl: MATERIAL,
  key: lockable("pem"),
  pfx: lockable("buf"),
  passphrase: TEXT,
  servername: TEXT,
  rejectUnauthorized: FLAG,
  checkServerIdentity: FUNCTION,
  pskCallback: FUNCTION,
  minVersion: TEXT,
  maxVersion: TEXT,
  ciphers: TEXT,
  sigalgs: TEXT,
  ecdhCurve: TEXT,
  secureProtocol: TEXT,
  secureOptions: NUMBER,
  minDHSize: NUMBER,
  secureContext: ["an object", (value) => typeof value === "object" && value !== null],
};

const ADDRESS: readonly string[] = ["host", "port", "path", "socket"];
const VERSIONS: readonly unknown[] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
/** Those that Node reads as PEM and nothing else. */
const PEM: readonly string[] = ["ca", "cert", "crl", "key"];
const BEGIN = "-----BEGIN ";

/**
 * Checks what can be told without node:tls, which is loaded with the first dial only: kinds, versions, and
 * that what has to be PEM looks like it. What the PEM says shows with the first dial. An option that is
 * undefined is not there.
 *
 * @throws {TypeError} for an option of the wrong kind. @throws {ZmqError} EINVAL for a value that cannot be.
 */
export function checkTlsOptions(options: object): void {
  for (const [name, [description, holds]] of Object.entries(KINDS)) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined && !holds(value)) throw new TypeError(`tls.${name} must be ${description}`);
  }
  for (const [name, value] of Object.entries(options)) {
    const reason = value === undefined ? null : whyNot(name, value);
    if (reason !== null) throw new ZmqError("EINVAL", `tls.${name} ${reason}`);
  }
}

function whyNot(name: string, value: unknown): string | null {
  if (ADDRESS.includes(name)) return "is not an option: it follows from the server's address";
  if (/^m(in|ax)Version$/.test(name) && !VERSIONS.includes(value))
    return `must be one of ${VERSIONS.join(", ")}`;
  if (PEM.includes(name) && ![value].flat().every(isPem)) return "must be PEM, with a line -----BEGIN ...";
  return null;
}

function isPem(value: unknown): boolean {
  if (typeof value === "string") return value.includes(BEGIN);
  if (!ArrayBuffer.isView(value)) return isPem((value as { pem?: unknown }).pem);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(BEGIN);
}
