// The client with the least own cost: ready-made batches go out over a plain socket and the records of an answer are
// not decoded. It shows what the broker can do; the librdkafka client shows what an application sees.
// raw-client produce | fetch | connections --name value …
#include "socket.h"
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static int acks(void) { return strcmp(text_argument("acks", "1"), "all") ? 1 : -1; }

static void produce(void) {
  const char *topic = text_argument("topic", "raw");
  int partitions = number_argument("partitions", 1), records = number_argument("batch-records", 15);
  long batches = (number_argument("messages", 1000000) + records - 1) / records, in_flight = number_argument("in-flight", 5);
  struct buffer batch = make_batch(records, number_argument("bytes", 1024));
  struct buffer *requests = calloc(partitions, sizeof *requests);
  for (int p = 0; p < partitions; p++) requests[p] = produce_request(topic, p, acks(), &batch);
  int64_t *sent_at = malloc(batches * sizeof *sent_at);
  long sent = 0, errors = 0;
  int fd = dial();
  mark("begin");
  int64_t start = clock_ns();
  for (long answered = 0; answered < batches; answered++) {
    for (; sent < batches && sent - answered < in_flight; sent++) {
      struct buffer *request = &requests[sent % partitions];
      set_be(request->bytes + correlation_at, sent, 4);
      sent_at[sent] = clock_ns();
      send_all(fd, request);
    }
    receive(fd);
    if (produce_error(answer)) errors++;
    sent_at[answered] = clock_ns() - sent_at[answered]; // from here on: how long it took
  }
  double seconds = seconds_since(start);
  mark("end");
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"failed\":%ld", batches * records, seconds, errors * records);
  print_percentiles("request_ms", sent_at, batches);
  printf("}\n");
}

static struct fetched fetch_once(int fd, const char *topic, int partition, int64_t offset, int bytes_max) {
  struct buffer request = fetch_request(topic, partition, offset, bytes_max);
  send_all(fd, &request);
  free(request.bytes);
  struct fetched got = read_fetch(answer, receive(fd), offset);
  if (got.error) {
    fprintf(stderr, "fetch at %lld: error %d\n", (long long)offset, got.error);
    exit(1);
  }
  return got;
}

// Reads `messages` in order from the start or up to the end of each partition, `repeat` times over.
static void fetch_in_order(int fd, const char *topic) {
  int partitions = number_argument("partitions", 1), bytes_max = number_argument("fetch-bytes", 1048576);
  int64_t wanted = number_argument("messages", 1000000) / partitions, got_messages = 0, got_bytes = 0;
  int from_end = !strcmp(text_argument("from", "start"), "end");
  int64_t *offsets = calloc(partitions, sizeof *offsets), *ends = calloc(partitions, sizeof *ends);
  for (int p = 0; p < partitions; p++) {
    int64_t end = fetch_once(fd, topic, p, 0, 1).high_watermark;
    offsets[p] = from_end && end > wanted ? end - wanted : 0;
    ends[p] = offsets[p] + wanted < end ? offsets[p] + wanted : end;
  }
  long repeat = number_argument("repeat", 1);
  mark("begin");
  int64_t start = clock_ns();
  for (long turn = 0; turn < repeat * partitions; turn++) {
    int p = turn % partitions;
    for (int64_t offset = offsets[p]; offset < ends[p];) {
      struct fetched got = fetch_once(fd, topic, p, offset, bytes_max);
      if (got.next_offset <= offset) die("a fetch below the high watermark brought no whole batch");
      got_messages += got.next_offset - offset;
      got_bytes += got.bytes;
      offset = got.next_offset;
    }
  }
  double seconds = seconds_since(start);
  mark("end");
  printf("{\"messages\":%lld,\"seconds\":%.6f,\"wire_bytes\":%lld}\n", (long long)got_messages, seconds, (long long)got_bytes);
}

// Single fetches at scattered offsets below `span`: here a slow search for a position shows, in order it would not.
static void fetch_scattered(int fd, const char *topic) {
  long fetches = number_argument("fetches", 2000), span = number_argument("span", 100000);
  int bytes_max = number_argument("fetch-bytes", 16384);
  int64_t *took = malloc(fetches * sizeof *took);
  uint64_t state = 11;
  mark("begin");
  int64_t start = clock_ns();
  for (long i = 0; i < fetches; i++) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    int64_t asked_at = clock_ns();
    fetch_once(fd, topic, 0, (int64_t)((state >> 33) % (uint64_t)span), bytes_max);
    took[i] = clock_ns() - asked_at;
  }
  double seconds = seconds_since(start);
  mark("end");
  printf("{\"messages\":%ld,\"seconds\":%.6f", fetches, seconds);
  print_percentiles("request_ms", took, fetches);
  printf("}\n");
}

static void fetch(void) {
  const char *topic = text_argument("topic", "raw");
  int fd = dial();
  if (strcmp(text_argument("from", "start"), "scattered")) fetch_in_order(fd, topic);
  else fetch_scattered(fd, topic);
}

// Many connections that once said ApiVersions and then keep still, and a few with one Produce request in flight each.
static void connections(void) {
  enum { samples_max = 10000000 };
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int idle = number_argument("idle", 1000), busy = number_argument("busy", 50);
  int64_t stop_after_ns = (int64_t)(number_argument("milliseconds", 5000)) * 1000000;
  struct buffer hello = api_versions_request(), batch = make_batch(1, number_argument("bytes", 1024));
  struct buffer request = produce_request(text_argument("topic", "raw"), 0, acks(), &batch);
  int *fds = calloc(busy, sizeof *fds), poll = epoll_create1(0);
  int64_t *sent_at = calloc(busy, sizeof *sent_at), *took = malloc(samples_max * sizeof *took);
  long answered = 0, errors = 0;

  mark("alone");
  for (int i = 0; i < idle; i++) {
    int fd = dial(); // never closed: the process ends with them open
    send_all(fd, &hello);
    receive(fd);
  }
  mark("idle");
  for (int i = 0; i < busy; i++) {
    struct epoll_event interest = {.events = EPOLLIN, .data.u32 = i};
    fds[i] = dial();
    epoll_ctl(poll, EPOLL_CTL_ADD, fds[i], &interest);
  }
  mark("begin");
  int64_t start = clock_ns();
  for (int i = 0; i < busy; i++) {
    sent_at[i] = clock_ns();
    send_all(fds[i], &request);
  }
  while (clock_ns() - start < stop_after_ns && answered < samples_max) {
    struct epoll_event ready[64];
    int count = epoll_wait(poll, ready, 64, 1000);
    for (int k = 0; k < count && answered < samples_max; k++) {
      int i = ready[k].data.u32;
      receive(fds[i]);
      if (produce_error(answer)) errors++;
      took[answered++] = clock_ns() - sent_at[i];
      sent_at[i] = clock_ns();
      send_all(fds[i], &request);
    }
  }
  double seconds = seconds_since(start);
  mark("end");
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"failed\":%ld", answered, seconds, errors);
  print_percentiles("request_ms", took, answered);
  printf("}\n");
}

int main(int count, char **values) {
  argument_count = count;
  arguments = values;
  signal(SIGPIPE, SIG_IGN);
  const char *mode = count > 1 ? values[1] : "";
  if (!strcmp(mode, "produce")) produce();
  else if (!strcmp(mode, "fetch")) fetch();
  else if (!strcmp(mode, "connections")) connections();
  else die("raw-client produce | fetch | connections --name value …");
  return 0;
}
