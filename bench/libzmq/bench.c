/* libzmq's side of the comparison, with the settings and lines that ../programs/control.mjs describes.
 *
 *   bench send|receive|request|reply PATTERN ADDRESS SIZE HIGH_WATER_MARK WINDOW
 *   bench subscribe PATTERN ADDRESS SIZE HIGH_WATER_MARK WINDOW SUBSCRIBERS
 *   bench topics publish COUNT | topics ADDRESS COUNT
 *   bench version
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define TOPIC "bench"
#define ACKS 3
/* Messages that are taken from one of many subscribers before it is the next one's turn. */
#define BATCH 1000
/* From here on a body is handed over by reference: below, libzmq's copy is cheaper than its bookkeeping. */
#define BY_REFERENCE 8192

static int pub_sub;
static size_t size;
static int high_water_mark;
static long window_size;
static char *body;
static long long usage_at_start;
/* Messages of all rounds before this one, and of this one; acknowledged ones of all rounds. */
static long before, expected, acknowledged;
static volatile sig_atomic_t stopping;

static void check(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
  exit(1);
}

static long long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Microseconds, user and system, of all threads. */
static long long usage(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static void on_stop(int signal) {
  (void) signal;
  stopping = 1;
}

/* The next line of standard input; its end ends the program. */
static char *read_line(void) {
  static char line[128];
  if (fgets(line, sizeof line, stdin) == NULL) exit(0);
  return line;
}

/* Reads until a round is given; answers the end of the one before. */
static long next_round(void) {
  for (;;) {
    long count;
    char *line = read_line();
    if (sscanf(line, "round %ld", &count) == 1) {
      before += expected;
      expected = count;
      usage_at_start = usage();
      return count;
    }
    if (strncmp(line, "end", 3) == 0) printf("done %lld\n", usage() - usage_at_start);
  }
}

/* Reads until the receiver has acknowledged enough for message i of this round. */
static void wait_for_room(long i) {
  static FILE *acks;
  long count;
  if (acks == NULL) acks = fdopen(ACKS, "r");
  while (before + i - acknowledged >= window_size) {
    if (fscanf(acks, "%ld", &count) != 1) exit(1);
    if (count > acknowledged) acknowledged = count;
  }
}

static void acknowledge(long received) {
  if (dprintf(ACKS, "%ld\n", before + received) < 0) exit(1);
}

static void *open_socket(int type) {
  static void *context;
  if (context == NULL) context = zmq_ctx_new();
  void *socket = zmq_socket(context, type);
  int linger = 0;
  check(socket == NULL ? -1 : 0, "zmq_socket");
  check(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger), "ZMQ_LINGER");
  check(zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark), "ZMQ_SNDHWM");
  check(zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark), "ZMQ_RCVHWM");
  return socket;
}

static void bind_and_tell(void *socket, const char *address) {
  char bound[256];
  size_t length = sizeof bound;
  check(zmq_bind(socket, address), "zmq_bind");
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &length), "ZMQ_LAST_ENDPOINT");
  printf("listening %s\n", bound);
}

static void keep(void *data, void *hint) {
  (void) data;
  (void) hint;
}

static void send_body(void *socket) {
  if (size < BY_REFERENCE) {
    check(zmq_send(socket, body, size, 0), "zmq_send");
    return;
  }
  zmq_msg_t message;
  check(zmq_msg_init_data(&message, body, size, keep, NULL), "zmq_msg_init_data");
  check(zmq_msg_send(&message, socket, 0), "zmq_msg_send");
}

static void run_sender(const char *address) {
  void *socket = open_socket(pub_sub ? ZMQ_PUB : ZMQ_PUSH);
  int no_drop = 1;
  if (pub_sub) check(zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &no_drop, sizeof no_drop), "ZMQ_XPUB_NODROP");
  bind_and_tell(socket, address);
  for (;;) {
    long count = next_round();
    if (acknowledged < before) acknowledged = before;
    for (long i = 0; i < count; i++) {
      if (window_size > 0 && before + i - acknowledged >= window_size) wait_for_room(i);
      if (pub_sub) check(zmq_send(socket, TOPIC, strlen(TOPIC), ZMQ_SNDMORE), "zmq_send");
      send_body(socket);
    }
  }
}

/* Receives one message, all of its frames; the last must be the body. Returns 0 when ZMQ_DONTWAIT is given and there is none. */
static int receive_message(void *socket, long received, int flags) {
  zmq_msg_t part;
  int more;
  do {
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, socket, flags) < 0) {
      if (!stopping && zmq_errno() == EAGAIN) return 0;
      if (!stopping) check(-1, "zmq_msg_recv");
      printf("stopped %ld\n", received);
      exit(1);
    }
    more = zmq_msg_more(&part);
    if (!more && zmq_msg_size(&part) != size) {
      fprintf(stderr, "a body of %zu bytes\n", zmq_msg_size(&part));
      exit(1);
    }
    zmq_msg_close(&part);
  } while (more);
  return 1;
}

static void run_receiver(const char *address) {
  void *socket = open_socket(pub_sub ? ZMQ_SUB : ZMQ_PULL);
  long ack_every = (window_size + 3) / 4;
  if (pub_sub) check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, TOPIC, strlen(TOPIC)), "ZMQ_SUBSCRIBE");
  check(zmq_connect(socket, address), "zmq_connect");
  printf("ready\n");
  for (;;) {
    long count = next_round();
    long long started = 0;
    printf("go\n");
    for (long received = 1; received <= count; received++) {
      receive_message(socket, received - 1, 0);
      if (received == 1) started = nanoseconds();
      if (window_size > 0 && received % ack_every == 0 && received < count) acknowledge(received);
    }
    printf("done %lld %ld %lld\n", usage() - usage_at_start, count - 1, nanoseconds() - started);
  }
}

/* Takes what has come for one subscriber, up to a batch; no poll for each message. */
static long receive_batch(void *socket, long most, long received) {
  long count = 0;
  while (count < most && count < BATCH && receive_message(socket, received + count, ZMQ_DONTWAIT)) count++;
  return count;
}

/* Waits until any of them has a message. */
static void poll_all(void **sockets, zmq_pollitem_t *items, long subscribers, long received) {
  for (long i = 0; i < subscribers; i++) items[i] = (zmq_pollitem_t) {.socket = sockets[i], .events = ZMQ_POLLIN};
  if (zmq_poll(items, subscribers, -1) >= 0) return;
  if (!stopping) check(-1, "zmq_poll");
  printf("stopped %ld\n", received);
  exit(1);
}

static void subscribe_round(void **sockets, zmq_pollitem_t *items, long *missing, long subscribers, long count) {
  long total = count * subscribers, received = 0, first = 0;
  long long started = 0;
  for (long i = 0; i < subscribers; i++) missing[i] = count;
  while (received < total) {
    long before_sweep = received;
    for (long i = 0; i < subscribers; i++) {
      long taken = receive_batch(sockets[i], missing[i], received);
      missing[i] -= taken;
      received += taken;
      if (first == 0 && received > 0) {
        first = received;
        started = nanoseconds();
      }
    }
    if (received == before_sweep) poll_all(sockets, items, subscribers, received);
  }
  printf("done %lld %ld %lld\n", usage() - usage_at_start, total - first, nanoseconds() - started);
}

/* Many subscribers, each a socket with a connection of its own. */
static void run_subscribers(const char *address, long subscribers) {
  void **sockets = malloc(subscribers * sizeof *sockets);
  zmq_pollitem_t *items = malloc(subscribers * sizeof *items);
  long *missing = malloc(subscribers * sizeof *missing);
  for (long i = 0; i < subscribers; i++) {
    sockets[i] = open_socket(ZMQ_SUB);
    check(zmq_setsockopt(sockets[i], ZMQ_SUBSCRIBE, TOPIC, strlen(TOPIC)), "ZMQ_SUBSCRIBE");
    check(zmq_connect(sockets[i], address), "zmq_connect");
  }
  printf("ready\n");
  for (;;) {
    long count = next_round();
    printf("go\n");
    subscribe_round(sockets, items, missing, subscribers, count);
  }
}

static int by_value(const void *a, const void *b) {
  long long x = *(const long long *) a, y = *(const long long *) b;
  return (x > y) - (x < y);
}

/* Index of a percentile among so many sorted values: the nearest rank. */
static long rank(int percent, long count) { return (percent * count + 99) / 100 - 1; }

static void run_requester(const char *address) {
  void *socket = open_socket(ZMQ_REQ);
  check(zmq_connect(socket, address), "zmq_connect");
  printf("ready\n");
  for (;;) {
    long count = next_round();
    long long *times = malloc(count * sizeof *times);
    printf("go\n");
    for (long i = 0; i < count; i++) {
      long long started = nanoseconds();
      send_body(socket);
      receive_message(socket, i, 0);
      times[i] = nanoseconds() - started;
    }
    long long used = usage() - usage_at_start;
    qsort(times, count, sizeof *times, by_value);
    printf("done %lld %ld %lld %lld\n", used, count, times[rank(50, count)], times[rank(99, count)]);
    free(times);
  }
}

static void run_replier(const char *address) {
  void *socket = open_socket(ZMQ_REP);
  bind_and_tell(socket, address);
  for (;;) {
    long count = next_round();
    for (long i = 0; i < count; i++) {
      receive_message(socket, i, 0);
      send_body(socket);
    }
  }
}

#define PROBES 20000

/* Bytes of the process that are in memory. */
static double resident(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1) exit(1);
  fclose(file);
  return (double) pages * sysconf(_SC_PAGESIZE);
}

/* As topicOf() in ../programs/measure.mjs. */
static int topic_of(unsigned n, char *topic) {
  char text[16];
  sprintf(text, "%08x", (n + 1) * 2654435761u);
  return sprintf(topic, "port/%s-%s-4%.3s-8%s-%s%.4s", text, text + 4, text + 1, text + 5, text, text);
}

static void publish_to_topics(long count) {
  void *socket = open_socket(ZMQ_XPUB);
  char (*topics)[64] = malloc(PROBES * sizeof *topics);
  double before = resident();
  char received[64];
  bind_and_tell(socket, "tcp://127.0.0.1:*");
  for (long i = 0; i < count; i++) check(zmq_recv(socket, received, sizeof received, 0), "zmq_recv");
  printf("filled %f\n", (resident() - before) / count);
  for (int i = 0; i < PROBES; i++) topics[i][topic_of((long) i * 7919 % count, topics[i]) - 1] = '_';
  while (strncmp(read_line(), "match", 5) == 0) {
    long long started = 0;
    for (int i = -PROBES; i < PROBES; i++) {
      char *topic = topics[(i + PROBES) % PROBES];
      if (i == 0) started = nanoseconds();
      check(zmq_send(socket, topic, strlen(topic), 0), "zmq_send");
    }
    printf("match %f\n", (double) (nanoseconds() - started) / PROBES);
  }
}

static void subscribe_to_topics(const char *address, long count) {
  void *socket = open_socket(ZMQ_SUB);
  char topic[64];
  check(zmq_connect(socket, address), "zmq_connect");
  double before = resident();
  for (long i = 0; i < count; i++)
    check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, topic_of(i, topic)), "ZMQ_SUBSCRIBE");
  sleep(1);
  printf("subscribed %f\n", (resident() - before) / count);
  for (;;) read_line();
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 2 && strcmp(argv[1], "version") == 0) {
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    printf("%d.%d.%d\n", major, minor, patch);
    return 0;
  }
  if (argc == 4 && strcmp(argv[1], "topics") == 0) {
    if (strcmp(argv[2], "publish") == 0) publish_to_topics(atol(argv[3]));
    else subscribe_to_topics(argv[2], atol(argv[3]));
    return 0;
  }
  if (argc < 7) {
    fprintf(stderr, "bench ROLE PATTERN ADDRESS SIZE HIGH_WATER_MARK WINDOW [SUBSCRIBERS]\n");
    return 2;
  }
  struct sigaction stop = {.sa_handler = on_stop};
  sigaction(SIGTERM, &stop, NULL);
  pub_sub = strcmp(argv[2], "pub-sub") == 0;
  size = strtoul(argv[4], NULL, 10);
  high_water_mark = atoi(argv[5]);
  window_size = atol(argv[6]);
  body = malloc(size + 1);
  memset(body, 'x', size);
  if (strcmp(argv[1], "send") == 0) run_sender(argv[3]);
  if (strcmp(argv[1], "subscribe") == 0 && argc == 8) run_subscribers(argv[3], atol(argv[7]));
  if (strcmp(argv[1], "receive") == 0) run_receiver(argv[3]);
  if (strcmp(argv[1], "request") == 0) run_requester(argv[3]);
  if (strcmp(argv[1], "reply") == 0) run_replier(argv[3]);
  fprintf(stderr, "no such role: %s\n", argv[1]);
  return 2;
}
