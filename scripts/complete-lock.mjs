// A registry that lacks a tool's binaries for other platforms makes npm leave them out of package-lock.json, and `npm ci` then
// refuses the file. Adds them by name, version and platform, as npm would. To be run after `npm install` has changed the file.
import { readFileSync, writeFileSync } from "node:fs";

const FILE = "package-lock.json";
const lock = JSON.parse(readFileSync(FILE, "utf8"));
const packages = lock.packages;
const added = [];

for (const [path, { optionalDependencies = {}, dev }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const platform = platformOf(name);
    if (platform === null || isLocked(path, name, version)) continue;
    packages[`node_modules/${name}`] = { version, ...(dev && { dev }), optional: true, ...platform };
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? "nothing to add" : `added ${added.join(", ")}`);

/** `@scope/tool-linux-x64-musl` -> { os: ["linux"], cpu: ["x64"], libc: ["musl"] }; null for what is no binary. */
function platformOf(name) {
  const found =
    /-(android|darwin|freebsd|linux|openbsd|openharmony|win32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/.exec(
      name,
    );
  if (found === null) return null;
  const [, os, cpu, abi] = found;
  const libc =
    os !== "linux" ? undefined : abi === "musl" || abi === "musleabihf" ? "musl" : abi ? "glibc" : undefined;
  return { os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) };
}

/** Whether a package at `path` finds this version of `name`, looking upwards as Node does. */
function isLocked(path, name, version) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf("/node_modules/")))) {
    const found = packages[`${base === "" ? "" : `${base}/`}node_modules/${name}`];
    if (found !== undefined) return found.version === version;
    if (base === "") return false;
  }
}
