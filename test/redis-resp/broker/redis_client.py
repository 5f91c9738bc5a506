"""redis-py at work: prints one line of JSON with what it got. Arguments: port, password."""
import json
import sys

import redis

port, password = int(sys.argv[1]), sys.argv[2]
client = redis.Redis(port=port, password=password, client_name="py", socket_timeout=10)
seen = {"ping": client.ping(), "name": client.client_getname()}

client.set("key", b"\x00\xff", ex=100)
seen["get"] = client.get("key").hex()
seen["ttl"] = 0 < client.ttl("key") <= 100
seen["nx"] = client.set("key", "other", nx=True)
seen["incr"] = [client.incr("count"), client.incr("count")]
client.hset("hash", mapping={"a": "1", "b": "2"})
seen["hash"] = sorted((k.decode(), v.decode()) for k, v in client.hgetall("hash").items())
seen["hkeys"] = sorted(k.decode() for k in client.hkeys("hash"))
seen["hdel"] = client.hdel("hash", "a", "x")

with client.pipeline(transaction=False) as pipeline:
    for n in range(500):
        pipeline.set(f"many:{n}", n)
    pipeline.delete("many:0")
    seen["pipeline"] = pipeline.execute()[-1]
seen["scan"] = len(list(client.scan_iter(match="many:*", count=50)))
seen["info"] = client.info()["redis_version"]
try:
    client.get("hash")
except redis.ResponseError as error:
    seen["error"] = str(error)

subscription = client.pubsub()
subscription.subscribe("news", "other")
subscription.psubscribe("n*")


def next_of(kind):
    while True:
        message = subscription.get_message(timeout=10)
        if message is None:
            raise TimeoutError(kind)
        if message["type"] == kind:
            return message["data"] if isinstance(message["data"], int) else message["data"].decode()


seen["subscribed"] = [next_of("subscribe"), next_of("subscribe"), next_of("psubscribe")]
seen["published"] = client.publish("news", "hello")
seen["messages"] = [next_of("message"), next_of("pmessage")]
seen["channels"] = sorted(c.decode() for c in client.pubsub_channels())
seen["numsub"] = client.pubsub_numsub("news")[0][1]
subscription.ping()
seen["pong"] = next_of("pong")
subscription.unsubscribe()
subscription.punsubscribe()
seen["unsubscribed"] = [next_of("unsubscribe"), next_of("unsubscribe"), next_of("punsubscribe")]
subscription.close()
client.close()
print(json.dumps(seen))
