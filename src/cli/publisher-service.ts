#!/usr/bin/env node
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { warningReporter } from "../drivers/driver/reporter.ts";
import {
  type Config,
  ConfigError,
  loadConfig,
  PublisherService,
  UnsupportedTransportError,
} from "../drivers/index.ts";
import { nodeEnvironment } from "../runtime/node.ts";
import { log } from "./log.ts";

const NAME = "dragonflow-publisher-service";

const HELP = `Usage: ${NAME} [--config-file FILE]...

Takes the events of this host's writers from a Unix socket and publishes them
for all controllers.

Options
  --config-file FILE  an oslo.config file such as dragonflow.ini; its options
                      of [df], and ipc_socket of [df_zmq]. Given several times:
                      the later file goes before the earlier. Without: defaults
  --help              prints this
  --version           prints the version

Environment
  DF_PUBLISHER_PORT is publisher_port of [df], and so on for each option;
  DF_ZMQ_IPC_SOCKET is ipc_socket of [df_zmq]. They go before the files.

Signals
  SIGTERM, SIGINT     publishes what has been received, for at most linger ms,
                      and ends; a second one ends at once

Exit codes
  0  ended by a signal
  1  could not start, for example because an address is in use; or ended by a
     second signal
  2  wrong arguments or configuration
`;

const STARTUP_FAILED = 1;
const WRONG_CONFIGURATION = 2;

function readArguments(): { files: string[]; help: boolean; version: boolean } {
  const { values } = parseArgs({
    options: {
      "config-file": { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
      version: { type: "boolean", default: false },
    },
  });
  return { files: values["config-file"], help: values.help, version: values.version };
}

/** Everything that can be wrong with what the user has written. */
function prepare(files: readonly string[]): PublisherService {
  const config: Config = loadConfig({ file: files, onWarning: (message) => log("WARNING", message) });
  const environment = { ...nodeEnvironment(), warn: (message: string) => log("WARNING", message) };
  return new PublisherService({ config, onError: warningReporter(environment, "coped with") });
}

function tell(service: PublisherService): void {
  const { events, publisher, subscriber } = service;
  events.on("listening", ({ publisher, subscriber, uri }) => {
    const writers = subscriber ?? "nobody (pub_sub_use_multiproc is off)";
    // There is none to configure: what is shipped keeps its rows in the memory of one process.
    log("INFO", "no database: the publisher table is not kept, so controllers need us in publishers_ips");
    log("INFO", `listening: writers at ${writers}, controllers at ${publisher}, known to others as ${uri}`);
  });
  events.on("sync", () => log("WARNING", "something was lost: told all controllers to read the database"));
  publisher.events.on("connected", ({ address }) => log("INFO", `controller ${address} connected`));
  publisher.events.on("lost", ({ address, reason }) => log("INFO", `controller ${address} gone: ${reason}`));
  subscriber?.events.on("gap", ({ reason }) => log("WARNING", `events of a writer were lost: ${reason}`));
}

/** The first signal ends the service in good order, the second at once. */
function obeySignals(service: PublisherService): void {
  let ending = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (ending) {
        log("ERROR", `${signal} again: ending at once`);
        process.exit(1);
      }
      ending = true;
      log("INFO", `${signal}: publishing what has been received`);
      void service.close();
    });
  }
}

function explain(error: Error): string {
  const option = error instanceof UnsupportedTransportError ? " (publisher_transport)" : "";
  return `${error.message}${option}`;
}

async function main(): Promise<number> {
  // A log that nobody reads any more is no reason to stop publishing.
  process.stderr.on("error", () => {});
  let service: PublisherService;
  try {
    const { files, help, version } = readArguments();
    if (help || version) {
      const { version: number } = createRequire(import.meta.url)("zmtp/package.json") as { version: string };
      process.stdout.write(help ? HELP : `${number}\n`);
      return 0;
    }
    service = prepare(files);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    const expected = error instanceof ConfigError || error instanceof UnsupportedTransportError;
    if (!expected && !code.startsWith("ERR_PARSE_ARGS")) throw error;
    log("ERROR", explain(error as Error));
    return WRONG_CONFIGURATION;
  }
  tell(service);
  obeySignals(service);
  try {
    await service.run();
  } catch (error) {
    const { message, address } = error as Error & { address?: string };
    log("ERROR", `cannot start: ${message}${address === undefined ? "" : `: ${address}`}`);
    return STARTUP_FAILED;
  }
  const { forwarded, failed, syncs } = service.stats();
  log("INFO", `ended: ${forwarded} events published, ${failed} refused, ${syncs} syncs told`);
  return 0;
}

// Not by process.exitCode alone: a database driver that hangs must not keep us.
process.exit(await main());
