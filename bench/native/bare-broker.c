// The least broker that librdkafka can produce to and be served by: one thread in C, epoll, memory. It answers ApiVersions 0,
// Metadata 1, ListOffsets 1, Produce 3 and Fetch 4 and nothing else, checks nothing, and knows only topics of one partition, which are
// there as soon as somebody names them. A batch goes to who waits for it before its producer hears of it. What a message takes
// through this one is what client, kernel and machine take, and one thread that does nothing else.
// bare-broker serve; says its port on the first line.
#include "socket.h"
#include <signal.h>
#include <sys/epoll.h>

enum { api_produce = 0, api_fetch = 1, api_offsets = 2, api_metadata = 3, api_versions = 18 };
enum { topics_max = 256, waiting_max = 64, connections_max = 1024, request_bytes_max = 4 << 20, unsupported_version = 35 };

struct topic {
  char name[256];
  uint8_t *bytes; // batches, one after the other
  size_t length, capacity;
  size_t *starts; // of each batch in bytes; every batch is of one record or more and has its first offset in its head
  long batches, batch_room;
  int64_t end;
};

struct fetch { // of one topic, parked until there is something or its time is over
  int fd;
  uint8_t correlation[4];
  struct topic *topic;
  int64_t offset, until_ns;
};

struct connection {
  uint8_t *bytes;
  size_t held;
};

static struct topic topics[topics_max];
static int topic_count;
static struct fetch waiting[waiting_max];
static int waiting_count;
static struct connection connections[connections_max];
static struct buffer reply;
static int own_port;

static void send_reply(int fd, const uint8_t *correlation) {
  set_be(reply.bytes, reply.length - 4, 4);
  memcpy(reply.bytes + 4, correlation, 4);
  if (write(fd, reply.bytes, reply.length) != (ssize_t)reply.length) die("an answer could not be written at once");
}

static void begin_reply(void) {
  reply.length = 0;
  put_be(&reply, 0, 8);
}

static struct topic *topic_of(const uint8_t *name, size_t length) {
  for (int i = 0; i < topic_count; i++)
    if (strlen(topics[i].name) == length && !memcmp(topics[i].name, name, length)) return &topics[i];
  if (topic_count == topics_max || length > 255) die("too many topics, or too long a name");
  memcpy(topics[topic_count].name, name, length);
  return &topics[topic_count++];
}

// The topic whose name begins at `*at`, which moves behind it.
static struct topic *take_topic(const uint8_t **at) {
  size_t length = (size_t)get_be(*at, 2);
  struct topic *found = topic_of(*at + 2, length);
  *at += 2 + length;
  return found;
}

static void append(struct topic *to, const uint8_t *batch, size_t length) {
  if (to->length + length > to->capacity) to->bytes = realloc(to->bytes, to->capacity = (to->length + length) * 2);
  if (to->batches == to->batch_room) to->starts = realloc(to->starts, sizeof *to->starts * (to->batch_room = to->batch_room * 2 + 1024));
  memcpy(to->bytes + to->length, batch, length);
  set_be(to->bytes + to->length, (uint64_t)to->end, 8);
  to->end += get_be(batch + 23, 4) + 1; // the last offset delta
  to->starts[to->batches++] = to->length;
  to->length += length;
}

// Where the batch begins that holds `offset`.
static size_t position_of(const struct topic *topic, int64_t offset) {
  long low = 0, high = topic->batches - 1;
  while (low < high) {
    long middle = (low + high + 1) / 2;
    if (get_be(topic->bytes + topic->starts[middle], 8) <= offset) low = middle;
    else high = middle - 1;
  }
  return topic->batches && offset < topic->end ? topic->starts[low] : topic->length;
}

static void answer_fetch(const struct fetch *of) {
  size_t from = position_of(of->topic, of->offset), length = of->topic->length - from;
  begin_reply();
  put_be(&reply, 0, 4); // throttled for
  put_be(&reply, 1, 4);
  put_string(&reply, of->topic->name);
  put_be(&reply, 1, 4);
  put_be(&reply, 0, 4); // partition
  put_be(&reply, 0, 2);
  put_be(&reply, of->topic->end, 8); // high watermark
  put_be(&reply, of->topic->end, 8); // last stable offset
  put_be(&reply, -1, 4);             // no aborted transactions
  put_be(&reply, (int64_t)length, 4);
  put(&reply, of->topic->bytes + from, length);
  send_reply(of->fd, of->correlation);
}

static void serve_waiting(const struct topic *written) {
  for (int i = 0; i < waiting_count; i++)
    if (waiting[i].topic == written) {
      answer_fetch(&waiting[i]);
      waiting[i--] = waiting[--waiting_count];
    }
}

static void produce(int fd, const uint8_t *correlation, const uint8_t *at) {
  int64_t transactional = get_be(at, 2);
  at += 2 + (transactional > 0 ? transactional : 0) + 2 + 4 + 4; // acks, timeout, one topic
  struct topic *to = take_topic(&at);
  at += 4 + 4; // one partition, 0
  int64_t base = to->end;
  append(to, at + 4, (size_t)get_be(at, 4));
  serve_waiting(to);
  begin_reply();
  put_be(&reply, 1, 4);
  put_string(&reply, to->name);
  put_be(&reply, 1, 4);
  put_be(&reply, 0, 4);
  put_be(&reply, 0, 2);
  put_be(&reply, base, 8);
  put_be(&reply, -1, 8);
  put_be(&reply, 0, 4);
  send_reply(fd, correlation);
}

static void fetch(int fd, const uint8_t *correlation, const uint8_t *at) {
  int64_t wait_ms = get_be(at + 4, 4), count = get_be(at + 17, 4);
  at += 21; // replica, wait, least and most bytes, isolation
  if (count == 0) die("a fetch of nothing");
  struct topic *of = take_topic(&at);
  struct fetch asked = {.fd = fd, .topic = of, .offset = get_be(at + 8, 8), .until_ns = clock_ns() + wait_ms * 1000000};
  memcpy(asked.correlation, correlation, 4);
  if (asked.offset < of->end) return answer_fetch(&asked);
  if (waiting_count == waiting_max) die("too many wait");
  waiting[waiting_count++] = asked;
}

static void offsets(int fd, const uint8_t *correlation, const uint8_t *at) {
  at += 4 + 4;
  struct topic *of = take_topic(&at);
  int64_t time = get_be(at + 8, 8);
  begin_reply();
  put_be(&reply, 1, 4);
  put_string(&reply, of->name);
  put_be(&reply, 1, 4);
  put_be(&reply, 0, 4);
  put_be(&reply, 0, 2);
  put_be(&reply, -1, 8);
  put_be(&reply, time == -2 ? 0 : of->end, 8);
  send_reply(fd, correlation);
}

static void metadata(int fd, const uint8_t *correlation, const uint8_t *at) {
  int64_t count = get_be(at, 4);
  at += 4;
  begin_reply();
  put_be(&reply, 1, 4);
  put_be(&reply, 0, 4); // node
  put_string(&reply, "127.0.0.1");
  put_be(&reply, own_port, 4);
  put_string(&reply, NULL); // rack
  put_be(&reply, 0, 4);     // controller
  put_be(&reply, count > 0 ? count : 0, 4);
  for (int64_t i = 0; i < count; i++) {
    put_be(&reply, 0, 2);
    put_string(&reply, take_topic(&at)->name);
    put_be(&reply, 0, 1);
    put_be(&reply, 1, 4);
    put_be(&reply, 0, 2);
    put_be(&reply, 0, 4); // partition
    put_be(&reply, 0, 4); // leader
    put_be(&reply, 1, 4);
    put_be(&reply, 0, 4);
    put_be(&reply, 1, 4);
    put_be(&reply, 0, 4);
  }
  send_reply(fd, correlation);
}

static void versions(int fd, const uint8_t *correlation, int asked) {
  static const int16_t apis[][2] = {{api_produce, 3}, {api_fetch, 4}, {api_offsets, 1}, {api_metadata, 1}, {api_versions, 0}};
  begin_reply();
  put_be(&reply, asked ? unsupported_version : 0, 2);
  put_be(&reply, sizeof apis / sizeof *apis, 4);
  for (size_t i = 0; i < sizeof apis / sizeof *apis; i++) {
    put_be(&reply, apis[i][0], 2);
    put_be(&reply, 0, 2); // librdkafka asks for old versions to believe in new ones, and sends the newest
    put_be(&reply, apis[i][1], 2);
  }
  send_reply(fd, correlation);
}

static void take_request(int fd, const uint8_t *request) {
  int api = (int)get_be(request, 2), version = (int)get_be(request + 2, 2);
  const uint8_t *correlation = request + 4, *body = request + 10;
  int64_t client = get_be(request + 8, 2);
  if (client > 0) body += client;
  if (api == api_produce) produce(fd, correlation, body);
  else if (api == api_fetch) fetch(fd, correlation, body);
  else if (api == api_offsets) offsets(fd, correlation, body);
  else if (api == api_metadata) metadata(fd, correlation, body);
  else if (api == api_versions) versions(fd, correlation, version);
  else die("a request that nobody announced");
}

// False where the other side is gone.
static int read_from(int fd) {
  struct connection *from = &connections[fd];
  if (!from->bytes) from->bytes = malloc(request_bytes_max);
  ssize_t n = read(fd, from->bytes + from->held, request_bytes_max - from->held);
  if (n <= 0) return 0;
  from->held += n;
  size_t at = 0;
  while (from->held - at >= 4) {
    size_t length = 4 + (size_t)get_be(from->bytes + at, 4);
    if (length > request_bytes_max) die("a request larger than the buffer");
    if (from->held - at < length) break;
    take_request(fd, from->bytes + at + 4);
    at += length;
  }
  memmove(from->bytes, from->bytes + at, from->held - at);
  from->held -= at;
  return 1;
}

static void drop(int fd) {
  for (int i = 0; i < waiting_count; i++)
    if (waiting[i].fd == fd) waiting[i--] = waiting[--waiting_count];
  connections[fd].held = 0;
  close(fd);
}

static int next_timeout_ms(void) {
  int64_t now = clock_ns(), first = now + 1000000000;
  for (int i = 0; i < waiting_count; i++) {
    if (waiting[i].until_ns <= now) {
      answer_fetch(&waiting[i]);
      waiting[i--] = waiting[--waiting_count];
    } else if (waiting[i].until_ns < first) first = waiting[i].until_ns;
  }
  return (int)((first - now) / 1000000) + 1;
}

int main(int count, char **values) {
  argument_count = count;
  arguments = values;
  signal(SIGPIPE, SIG_IGN);
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  if (bind(listener, (struct sockaddr *)&at, size) || listen(listener, 16)) die("cannot listen");
  getsockname(listener, (struct sockaddr *)&at, &size);
  own_port = ntohs(at.sin_port);
  printf("%d\n", own_port);
  fflush(stdout);
  struct epoll_event watched = {.events = EPOLLIN, .data.fd = listener}, ready[64];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &watched);
  for (;;) {
    int happened = epoll_wait(poll, ready, 64, next_timeout_ms());
    for (int i = 0; i < happened; i++) {
      int fd = ready[i].data.fd;
      if (fd == listener) {
        watched.data.fd = accept(listener, NULL, NULL);
        if (watched.data.fd < 0 || watched.data.fd >= connections_max) die("too many connections");
        setsockopt(watched.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(poll, EPOLL_CTL_ADD, watched.data.fd, &watched);
      } else if (!read_from(fd)) drop(fd);
    }
  }
}
