// Topics made one by one, as programs do that make what they need when they need it: CreateTopics of one topic, its answer, the next.
// Then a message to each, round after round: what a broker pays for going from topic to topic.
// topics-client create --name value …
#include "socket.h"

static struct buffer create_request(const char *topic) {
  struct buffer request = begin_request(19, 4);
  put_be(&request, 1, 4);
  put_string(&request, topic);
  put_be(&request, 1, 4); // partitions
  put_be(&request, 1, 2); // replicas
  put_be(&request, 0, 4); // no assignments
  put_be(&request, 0, 4); // no configs
  put_be(&request, 30000, 4);
  put_be(&request, 0, 1); // not only to validate
  return end_request(request);
}

static int64_t ask(int fd, struct buffer request) {
  int64_t start = clock_ns();
  send_all(fd, &request);
  receive(fd);
  free(request.bytes);
  return clock_ns() - start;
}

// A broker may answer before it leads: the first produce is tried until it is taken, and not timed.
static void wait_for(int fd, struct buffer *request) {
  for (int attempt = 0; attempt < 3000; attempt++) {
    send_all(fd, request);
    receive(fd);
    if (!produce_error(answer)) return;
    usleep(10000);
  }
  die("a new topic took no message for half a minute");
}

int main(int argc, char **argv) {
  argument_count = argc;
  arguments = argv;
  long topics = number_argument("topics", 1000), rounds = number_argument("rounds", 5), errors = 0;
  const char *prefix = text_argument("topic", "one-by-one");
  struct buffer batch = make_batch(1, number_argument("bytes", 1024));
  struct buffer *requests = calloc(topics, sizeof *requests);
  int64_t *create_took = malloc(topics * sizeof *create_took), *produce_took = malloc(topics * rounds * sizeof *produce_took);
  int fd = dial();
  char name[300];
  mark("begin");
  int64_t start = clock_ns();
  for (long i = 0; i < topics; i++) {
    snprintf(name, sizeof name, "%s-%ld", prefix, i);
    create_took[i] = ask(fd, create_request(name));
    int64_t length = get_be(answer + 12, 2); // past correlation id, throttle, count
    if (get_be(answer + 14 + length, 2)) errors++;
  }
  double seconds = seconds_since(start);
  mark("end");
  for (long i = 0; i < topics; i++) {
    snprintf(name, sizeof name, "%s-%ld", prefix, i);
    requests[i] = produce_request(name, 0, 1, &batch);
    wait_for(fd, &requests[i]);
  }
  mark("led");
  for (long i = 0; i < topics * rounds; i++) {
    int64_t sent_at = clock_ns();
    send_all(fd, &requests[i % topics]);
    receive(fd);
    produce_took[i] = clock_ns() - sent_at;
    if (produce_error(answer)) errors++;
  }
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"failed\":%ld", topics, seconds, errors);
  print_percentiles("create_ms", create_took, topics);
  print_percentiles("produce_ms", produce_took, topics * rounds);
  printf("}\n");
  return 0;
}
