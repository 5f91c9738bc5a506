import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { rootFolder } from "./folder.ts";

/** Paths of PEM files: the authority, and one certificate for "localhost" and 127.0.0.1 with its key. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Certificates of an authority of our own, made once per process. */
export function tlsFiles(): TlsFiles {
  const folder = rootFolder();
  const file = (name: string): string => join(folder, name);
  if (!existsSync(file("server.crt"))) makeCertificates(folder);
  return { ca: file("ca.crt"), cert: file("server.crt"), key: file("server.key") };
}

function makeCertificates(cwd: string): void {
  const openssl = (line: string): void => {
    execFileSync("/usr/bin/openssl", line.split(" "), { cwd, stdio: "pipe" });
  };
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  openssl(`req -x509 ${key} -days 2 -keyout ca.key -out ca.crt -subj /CN=authority`);
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  openssl(`req ${key} -keyout server.key -out server.csr -subj /CN=server -addext ${names}`);
  const signed = "-CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy";
  openssl(`x509 -req -in server.csr ${signed} -out server.crt`);
}
