import { describe, expect, it } from "vitest";
import {
  loadDriver,
  type PubSubApi,
  UnsupportedTransportError,
  ZmqPubSub,
  ZmqPubSubBind,
  ZmqPubSubConnect,
  ZmqPubSubMultiproc,
} from "../../../src/drivers/index.ts";

const DRIVERS = { ZmqPubSub, ZmqPubSubMultiproc, ZmqPubSubBind, ZmqPubSubConnect };

describe.each(Object.entries(DRIVERS))("dragonflow.md 4: options of %s", (_, Driver) => {
  it.each(["udp", "ipc", "inproc", "TCP"])("the transport %j is not supported", (publisherTransport) => {
    let error: unknown;
    try {
      new Driver({ publisherTransport });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UnsupportedTransportError);
    expect(error).toMatchObject({
      name: "UnsupportedTransportError",
      code: "EPROTONOSUPPORT",
      transport: publisherTransport,
      message: `Transport protocol is not supported: ${publisherTransport}`,
    });
  });

  it("epgm is known, and said to be not there yet", () => {
    expect(() => new Driver({ publisherTransport: "epgm" })).toThrow(
      expect.objectContaining({ code: "EINVAL", message: "epgm is not supported yet; use tcp" }),
    );
  });

  it("an unknown option is an error that names it and the nearest known one", () => {
    expect(() => new Driver({ publisherPrt: 1 } as never)).toThrow(
      expect.objectContaining({
        name: "UnknownOptionError",
        code: "EINVAL",
        option: "publisherPrt",
        nearest: "publisherPort",
      }),
    );
  });

  it("a bad value is an error that names the option", () => {
    expect(() => new Driver({ publisherPort: 65536 })).toThrow(
      expect.objectContaining({ code: "EINVAL", option: "publisherPort" }),
    );
    expect(() => new Driver({ overflow: "wait" as never })).toThrow(
      expect.objectContaining({ code: "EINVAL", option: "overflow" }),
    );
    // For the sockets 0 means: never dial again.
    expect(() => new Driver({ reconnectInterval: 0 })).toThrow(
      expect.objectContaining({ code: "EINVAL", option: "reconnectInterval" }),
    );
    expect(() => new Driver({ onError: "log" as never })).toThrow(TypeError);
    expect(() => new Driver(null as never)).toThrow(TypeError);
  });
});

describe("dragonflow.md 4: addresses of a network subscriber", () => {
  const { registerListenAddress } = (() => {
    const subscriber = new ZmqPubSub().getSubscriber();
    return { registerListenAddress: (uri: unknown) => subscriber.registerListenAddress(uri as string) };
  })();

  it.each([
    ["udp://10.0.0.1:1", { name: "UnsupportedTransportError", code: "EPROTONOSUPPORT" }],
    ["ipc:///path", { name: "UnsupportedTransportError", code: "EPROTONOSUPPORT" }],
    ["epgm://eth0;239.192.1.1:8866", { code: "EINVAL", message: "epgm is not supported yet; use tcp" }],
    ["10.0.0.1:8866", { code: "EINVAL" }],
    ["tcp://10.0.0.1", { code: "EINVAL" }],
    ["tcp://10.0.0.1:http", { code: "EINVAL" }],
    ["", { code: "EINVAL" }],
  ])("%j is refused at the call", (uri, error) => {
    expect(() => registerListenAddress(uri)).toThrow(expect.objectContaining(error));
  });

  it("what is no string is a TypeError", () => {
    expect(() => registerListenAddress(7)).toThrow(TypeError);
  });
});

describe("dragonflow.md 6, load_driver", () => {
  it.each([
    ["zmq_pubsub_driver", ZmqPubSub],
    ["zmq_pubsub_multiproc_driver", ZmqPubSubMultiproc],
    ["zmq_bind_pubsub_driver", ZmqPubSubBind],
    ["zmq_connect_pubsub_driver", ZmqPubSubConnect],
  ])("%s, each call a new one", (alias, Driver) => {
    const driver = loadDriver(alias, { publisherPort: 0 });
    expect(driver).toBeInstanceOf(Driver);
    expect(loadDriver(alias)).not.toBe(loadDriver(alias));
  });

  it("a constructor of one's own, with its own options", () => {
    class Mine implements PubSubApi {
      readonly given: { mine: number };
      constructor(given: { mine: number }) {
        this.given = given;
      }
      getPublisher(): never {
        throw new Error("none");
      }
      getSubscriber(): never {
        throw new Error("none");
      }
    }
    const driver = loadDriver(Mine, { mine: 7 });
    expect(driver).toBeInstanceOf(Mine);
    expect(driver.given).toEqual({ mine: 7 });
  });

  it("an unknown alias is an error that names those that are known, and the nearest", () => {
    expect(() => loadDriver("zmq_pubsub_drivr")).toThrow(
      expect.objectContaining({
        code: "EINVAL",
        message: expect.stringMatching(
          /^Unknown driver zmq_pubsub_drivr \(did you mean zmq_pubsub_driver\?\); known are .*redis_db_pubsub_driver$/,
        ),
      }),
    );
    for (const name of ["", "toString", "__proto__", "etcd_pubsub_driver"])
      expect(() => loadDriver(name)).toThrow(expect.objectContaining({ code: "EINVAL" }));
    expect(() => loadDriver(7 as never)).toThrow(TypeError);
  });

  it("options go to the constructor, and so do its errors", () => {
    expect(() => loadDriver("zmq_pubsub_driver", { publisherTransport: "udp" })).toThrow(
      UnsupportedTransportError,
    );
    expect(() => loadDriver("zmq_pubsub_driver", { nothing: 1 } as never)).toThrow(
      expect.objectContaining({ name: "UnknownOptionError" }),
    );
  });
});
