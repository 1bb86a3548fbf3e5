// What a native application sees: librdkafka producing and consuming, one of each or many, alone and at once, and at a steady rate.
// librdkafka-client produce | consume | stream | latency --name value …
#include "librdkafka.h"

// One producer, on a thread of its own where there are several.
struct sender {
  rd_kafka_t *client;
  rd_kafka_topic_t *handle;
  struct values values;
  long messages;
  volatile long delivered, failed;
  int64_t *ack_took, *ack_at; // only while latency is measured; indexed by order of acknowledgement
  int64_t *commit_took;       // one for each transaction
  long commits;
  int64_t done_at;
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
  struct sender *sender = opaque;
  (void)client;
  if (message->err) {
    sender->failed++;
    return;
  }
  if (sender->ack_took) {
    sender->ack_at[sender->delivered] = clock_ns();
    sender->ack_took[sender->delivered] = sender->ack_at[sender->delivered] - (int64_t)(intptr_t)message->_private;
  }
  sender->delivered++;
}

static void must(rd_kafka_error_t *error) {
  if (error) die(rd_kafka_error_string(error));
}

static void open_sender(struct sender *sender, int share, int index) {
  sender->client = make_producer(share, index, sender, on_delivery);
  sender->handle = open_topic(sender->client);
  sender->values = make_values(value_bytes, text_argument("values", "one"), index);
  sender->messages = messages / share + (index < messages % share);
  long per_transaction = number_argument("transaction", 0);
  if (!per_transaction) return;
  sender->commit_took = malloc((sender->messages / per_transaction + 1) * sizeof *sender->commit_took);
  must(rd_kafka_init_transactions(sender->client, 60000));
}

static void enqueue(struct sender *sender, long i, int64_t stamp) {
  char *value = value_at(&sender->values, i);
  if (stamp) memcpy(value, &stamp, sizeof stamp);
  while (rd_kafka_produce(sender->handle, i % partitions, RD_KAFKA_MSG_F_COPY, value, value_bytes, NULL, 0,
                          (void *)(intptr_t)stamp) == -1) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die(rd_kafka_err2str(rd_kafka_last_error()));
    if (sender->ack_took) usleep(100); // the reporting thread serves the queue
    else rd_kafka_poll(sender->client, 1);
  }
}

static void commit(struct sender *sender) {
  int64_t start = clock_ns();
  must(rd_kafka_commit_transaction(sender->client, 120000));
  sender->commit_took[sender->commits++] = clock_ns() - start;
}

static void *send_all(void *opaque) {
  struct sender *sender = opaque;
  long per_transaction = number_argument("transaction", 0);
  int stamped = number_argument("stamped", 0);
  for (long i = 0; i < sender->messages; i++) {
    if (per_transaction && i % per_transaction == 0) must(rd_kafka_begin_transaction(sender->client));
    enqueue(sender, i, stamped ? clock_ns() : 0);
    if (i % 256 == 0) rd_kafka_poll(sender->client, 0);
    if (per_transaction && ((i + 1) % per_transaction == 0 || i + 1 == sender->messages)) commit(sender);
  }
  flush(sender->client);
  sender->done_at = clock_ns();
  return NULL;
}

static void produce(void) {
  int producers = number_argument("producers", 1);
  struct sender *senders = calloc(producers, sizeof *senders);
  pthread_t *threads = calloc(producers, sizeof *threads);
  for (int i = 0; i < producers; i++) open_sender(&senders[i], producers, i);
  mark("begin");
  int64_t start = clock_ns();
  for (int i = 0; i < producers; i++) pthread_create(&threads[i], NULL, send_all, &senders[i]);
  for (int i = 0; i < producers; i++) pthread_join(threads[i], NULL);
  double seconds = seconds_since(start);
  mark("end");
  long delivered = 0, failed = 0;
  for (int i = 0; i < producers; i++) delivered += senders[i].delivered, failed += senders[i].failed;
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"failed\":%ld", delivered, seconds, failed);
  print_percentiles("commit_ms", senders[0].commit_took, senders[0].commits);
  printf("}\n");
}

// One consumer, on a thread of its own where there are several.
struct receiver {
  rd_kafka_t *client;
  long received;
  int64_t first_at, last_at;
  int64_t *took; // where messages bear a stamp; indexed by order of arrival
};

static void take(const rd_kafka_message_t *message, int64_t now, void *context) {
  struct receiver *receiver = context;
  if (!receiver->received) receiver->first_at = now;
  receiver->last_at = now;
  if (receiver->took) {
    int64_t stamp;
    memcpy(&stamp, message->payload, sizeof stamp);
    receiver->took[receiver->received] = now - stamp;
  }
  receiver->received++;
}

static void consume(void) {
  struct receiver receiver = {.client = make_consumer(1)};
  open_topic(receiver.client);
  mark("begin");
  int64_t start = clock_ns();
  assign_all(receiver.client, RD_KAFKA_OFFSET_BEGINNING);
  receive_all(receiver.client, messages, 2000, take, &receiver);
  double seconds = seconds_since(start);
  mark("end");
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"first_ms\":%.3f}\n", receiver.received, seconds,
         (receiver.first_at - start) / 1e6);
}

static void *receive_thread(void *receiver) {
  receive_all(((struct receiver *)receiver)->client, messages, 2000, take, receiver);
  return NULL;
}

static void *receive_each_thread(void *receiver) {
  receive_all(((struct receiver *)receiver)->client, messages, 1, take, receiver);
  return NULL;
}

// Producing as fast as it goes while `consumers` read all of it as it comes: rates of both sides, and what a message took.
static void stream(void) {
  int consumers = number_argument("consumers", 1);
  struct sender sender = {0};
  open_sender(&sender, 1, 0);
  struct receiver *receivers = calloc(consumers, sizeof *receivers);
  pthread_t *threads = calloc(consumers, sizeof *threads);
  int64_t *took = malloc(consumers * messages * sizeof *took);
  for (int i = 0; i < consumers; i++) {
    receivers[i].client = make_consumer(consumers);
    receivers[i].took = took + i * messages;
    open_topic(receivers[i].client);
    assign_all(receivers[i].client, RD_KAFKA_OFFSET_BEGINNING); // the topic is new
    pthread_create(&threads[i], NULL, receive_thread, &receivers[i]);
  }
  sleep(1); // the consumers are connected and their fetches are parked
  mark("begin");
  int64_t start = clock_ns(), last_at = start;
  send_all(&sender);
  for (int i = 0; i < consumers; i++) {
    pthread_join(threads[i], NULL);
    if (receivers[i].last_at > last_at) last_at = receivers[i].last_at;
  }
  mark("end");
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"failed\":%ld,\"sent_seconds\":%.6f", messages, (last_at - start) / 1e9,
         sender.failed, (sender.done_at - start) / 1e9);
  print_percentiles("e2e_ms", took, consumers * messages);
  printf("}\n");
}

// Delivery reports have a thread of their own: served by the pacing loop, its sleeps would count as broker latency.
static volatile int pacing_done;
static void *report_thread(void *producer) {
  while (!pacing_done) rd_kafka_poll(producer, 50);
  return NULL;
}

// A message bears the time it was meant to be sent at, not the one it got away at: what holds up the sender holds up those that wait
// behind it, and they must not go uncounted. With a tick, all that is due within it is meant for its start: so the sender sleeps
// where it would otherwise spin on a core that the broker needs.
// At rate 0 they are sent as fast as it goes, each meant for the moment at which its turn comes.
// Returns how many got away more than a millisecond late.
static long send_paced(struct sender *sender, long rate) {
  long tick_ns = number_argument("tick-us", 0) * 1000, late = 0;
  int64_t start = clock_ns();
  for (long i = 0; i < messages; i++) {
    int64_t due = rate ? start + i * 1000000000LL / rate : clock_ns(), now;
    if (tick_ns) due -= (due - start) % tick_ns;
    while ((now = clock_ns()) < due) {
      struct timespec rest = {0, due - now};
      if (tick_ns || due - now > 100000) nanosleep(&rest, NULL); // closer than that, a sleep would overshoot: spin
    }
    late += now - due > 1000000;
    enqueue(sender, i, due);
  }
  return late;
}

// Keeps the samples of messages that were not under way while the one that waited longest was; returns how many.
static long outside_stall(int64_t *at, int64_t *took, long count, int64_t *stall) {
  long longest = 0, kept = 0;
  for (long i = 1; i < count; i++)
    if (took[i] > took[longest]) longest = i;
  *stall = took[longest];
  int64_t until = at[longest], from = until - *stall;
  for (long i = 0; i < count; i++)
    if (at[i] < from || at[i] - took[i] > until) took[kept++] = took[i];
  return kept;
}

static void latency(void) {
  struct sender sender = {.ack_at = malloc(messages * sizeof(int64_t)), .ack_took = malloc(messages * sizeof(int64_t))};
  struct receiver receiver = {.client = make_consumer(1), .took = malloc(messages * sizeof(int64_t))};
  open_topic(receiver.client);
  open_sender(&sender, 1, 0);
  pthread_t receiving, reporting;
  assign_all(receiver.client, RD_KAFKA_OFFSET_BEGINNING); // the topic is new: nothing lies before our own messages
  pthread_create(&receiving, NULL, receive_each_thread, &receiver);
  pthread_create(&reporting, NULL, report_thread, sender.client);
  sleep(1); // the consumer is connected and its fetch is parked
  mark("begin");
  int64_t start = clock_ns();
  long late = send_paced(&sender, number_argument("rate", 1000));
  pthread_join(receiving, NULL); // not flush: it too would serve delivery reports, beside the reporting thread
  while (sender.delivered + sender.failed < messages) usleep(1000);
  double seconds = seconds_since(start);
  pacing_done = 1;
  pthread_join(reporting, NULL);
  mark("end");
  long skipped = messages / 10; // the first tenth fills caches and code paths
  long acked = sender.delivered - skipped;
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"failed\":%ld,\"late\":%ld", receiver.received, seconds, sender.failed,
         late);
  int64_t stall = 0, *kept = malloc(messages * sizeof *kept);
  memcpy(kept, sender.ack_took + skipped, acked * sizeof *kept);
  long outside = outside_stall(sender.ack_at + skipped, kept, acked, &stall);
  print_percentiles("ack_ms", sender.ack_took + skipped, acked);
  print_percentiles("e2e_ms", receiver.took + skipped, receiver.received - skipped);
  if (number_argument("outside", 0)) {
    printf(",\"stall_ms\":%.4f,\"outside\":%ld", stall / 1e6, outside);
    print_percentiles("outside_ms", kept, outside);
  }
  printf("}\n");
}

int main(int count, char **values) {
  read_arguments(count, values);
  const char *mode = count > 1 ? values[1] : "";
  if (!strcmp(mode, "produce")) produce();
  else if (!strcmp(mode, "consume")) consume();
  else if (!strcmp(mode, "stream")) stream();
  else if (!strcmp(mode, "latency")) latency();
  else die("librdkafka-client produce | consume | stream | latency --name value …");
  fflush(stdout);
  _exit(0); // closing consumer and producer tidily takes seconds and measures nothing
}
