import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** The real peers that npm does not bring, as packages of Debian. A `service` that comes with one is not wanted. */
export const peers = [
  { package: "python3-zmq", probe: ["/usr/bin/python3", "-c", "import zmq"], for: "interop with pyzmq" },
  {
    package: "redis-server",
    probe: ["/usr/bin/redis-server", "--version"],
    for: "tests against Redis",
    service: "redis-server",
  },
  { package: "redis-tools", probe: ["/usr/bin/redis-cli", "--version"], for: "tests against Redis" },
  {
    package: "python3-redis",
    probe: ["/usr/bin/python3", "-c", "import redis"],
    for: "interop with redis-py",
  },
  { package: "openssl", probe: ["/usr/bin/openssl", "version"], for: "tests against Redis over TLS" },
];

const isPresent = ({ probe: [command, ...args] }) =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0;

/**
 * Installs the missing peers where that is wanted (CI=true or ZMTP_INSTALL_PEERS=1) and possible (root, apt), else says
 * how to. @returns false when a peer is missing that had to be there.
 */
export function bringPeers() {
  const { CI, ZMTP_INSTALL_PEERS } = process.env;
  let missing = peers.filter((peer) => !isPresent(peer));
  const wanted = CI === "true" || ZMTP_INSTALL_PEERS === "1";
  if (missing.length > 0 && wanted && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    install(missing);
    missing = missing.filter((peer) => !isPresent(peer));
  }
  if (missing.length === 0) {
    console.log(`All there: ${peers.map((peer) => peer.package).join(", ")}`);
    return true;
  }
  for (const peer of missing) console.log(`Missing: ${peer.package}, for ${peer.for}`);
  console.log(`On Debian: sudo apt-get install ${missing.map((peer) => peer.package).join(" ")}`);
  console.log(wanted ? "They are needed here." : "Until then the tests concerned are skipped.");
  return !wanted;
}

function install(missing) {
  const apt = (...args) =>
    spawnSync("/usr/bin/apt-get", ["-qq", "-o", "DPkg::Lock::Timeout=300", ...args], {
      stdio: "inherit",
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status === 0;
  const names = missing.map((peer) => peer.package);
  const attempt = () => apt("install", "-y", "--no-install-recommends", ...names);
  // On a fresh machine the package lists are missing or stale.
  if (!attempt()) {
    apt("update");
    attempt();
  }
  for (const { service } of missing) if (service) spawnSync("/usr/sbin/service", [service, "stop"]);
}
