// What a native application sees: librdkafka producing, consuming, and both at once at a steady rate.
// librdkafka-client produce | consume | latency --name value …
#include "client.h"
#include <librdkafka/rdkafka.h>
#include <pthread.h>

static const char *topic, *linger_ms;
static int partitions;
static long messages, value_bytes;

static volatile long delivered, failed;
static int64_t *ack_took, *ack_at; // only while latency is measured; indexed by order of acknowledgement

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
  (void)producer, (void)opaque;
  if (message->err) {
    failed++;
    return;
  }
  if (ack_took) {
    ack_at[delivered] = clock_ns();
    ack_took[delivered] = ack_at[delivered] - (int64_t)(intptr_t)message->_private;
  }
  delivered++;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(why);
}

static rd_kafka_conf_t *common_conf(void) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", text_argument("brokers", "127.0.0.1:9092"));
  set(conf, "broker.address.family", "v4");
  set(conf, "socket.nagle.disable", "true");
  return conf;
}

static rd_kafka_t *make_client(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
  char why[256];
  rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
  if (!client) die(why);
  return client;
}

static rd_kafka_t *make_producer(void) {
  rd_kafka_conf_t *conf = common_conf();
  set(conf, "acks", text_argument("acks", "1"));
  set(conf, "linger.ms", linger_ms);
  set(conf, "queue.buffering.max.messages", "200000");
  set(conf, "queue.buffering.max.kbytes", "262144");
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  return make_client(RD_KAFKA_PRODUCER, conf);
}

static rd_kafka_t *make_consumer(void) {
  rd_kafka_conf_t *conf = common_conf();
  set(conf, "group.id", "bench"); // partitions are assigned by hand, so no group is ever joined
  set(conf, "enable.auto.commit", "false");
  set(conf, "check.crcs", "false"); // the client's own cost, alike for every broker: kept out
  set(conf, "queued.max.messages.kbytes", "131072");
  return make_client(RD_KAFKA_CONSUMER, conf);
}

// Returns when the leader of every partition is known, so that the timed part starts with a connected client.
static rd_kafka_topic_t *open_topic(rd_kafka_t *client) {
  rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
  for (int attempt = 0; attempt < 20; attempt++) {
    const struct rd_kafka_metadata *metadata = NULL;
    int known = rd_kafka_metadata(client, 0, handle, &metadata, 2000) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt == partitions;
    if (metadata) rd_kafka_metadata_destroy(metadata);
    if (known) return handle;
    usleep(50000);
  }
  die("the topic did not appear in the metadata");
  return NULL;
}

static void enqueue(rd_kafka_t *producer, rd_kafka_topic_t *handle, long i, char *value, int64_t stamp) {
  while (rd_kafka_produce(handle, i % partitions, RD_KAFKA_MSG_F_COPY, value, value_bytes, NULL, 0,
                          (void *)(intptr_t)stamp) == -1) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) die(rd_kafka_err2str(rd_kafka_last_error()));
    if (ack_took) usleep(100); // the reporting thread serves the queue
    else rd_kafka_poll(producer, 1);
  }
}

static void flush(rd_kafka_t *producer) {
  if (rd_kafka_flush(producer, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("messages stayed undelivered for two minutes");
}

static void produce(void) {
  rd_kafka_t *producer = make_producer();
  rd_kafka_topic_t *handle = open_topic(producer);
  char *value = make_value(value_bytes);
  mark("begin");
  int64_t start = clock_ns();
  for (long i = 0; i < messages; i++) {
    enqueue(producer, handle, i, value, 0);
    if (i % 256 == 0) rd_kafka_poll(producer, 0);
  }
  flush(producer);
  double seconds = seconds_since(start);
  mark("end");
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"failed\":%ld}\n", delivered, seconds, failed);
}

static void assign_all(rd_kafka_t *consumer, int64_t offset) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; p++) rd_kafka_topic_partition_list_add(list, topic, p)->offset = offset;
  rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
}

static long received;
static int64_t first_at;
static int64_t *arrival_took; // only while latency is measured; indexed by order of arrival

static void take(rd_kafka_message_t *message, int64_t now) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (!received) first_at = now;
    if (arrival_took) {
      int64_t stamp;
      memcpy(&stamp, message->payload, sizeof stamp);
      arrival_took[received] = now - stamp;
    }
    received++;
  } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    fprintf(stderr, "%s\n", rd_kafka_message_errstr(message));
  }
  rd_kafka_message_destroy(message);
}

static void receive_all(rd_kafka_t *consumer, int batch_max) {
  enum { batch_limit = 2000 };
  static const int64_t stalled_ns = 60000000000LL;
  rd_kafka_message_t *batch[batch_limit];
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
  int64_t progress_at = clock_ns();
  while (received < messages) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, batch_max == 1 ? 1 : 100, batch, batch_max);
    int64_t now = clock_ns();
    for (ssize_t i = 0; i < count; i++) take(batch[i], now);
    if (count > 0) progress_at = now;
    else if (now - progress_at > stalled_ns) die("nothing arrived for a minute");
  }
  rd_kafka_queue_destroy(queue);
}

static void consume(void) {
  rd_kafka_t *consumer = make_consumer();
  open_topic(consumer);
  mark("begin");
  int64_t start = clock_ns();
  assign_all(consumer, RD_KAFKA_OFFSET_BEGINNING);
  receive_all(consumer, 2000);
  double seconds = seconds_since(start);
  mark("end");
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"first_ms\":%.3f}\n", received, seconds, (first_at - start) / 1e6);
}

static void *receive_thread(void *consumer) {
  receive_all(consumer, 1);
  return NULL;
}

// Delivery reports have a thread of their own: served by the pacing loop, its sleeps would count as broker latency.
static volatile int pacing_done;
static void *report_thread(void *producer) {
  while (!pacing_done) rd_kafka_poll(producer, 50);
  return NULL;
}

static void send_paced(rd_kafka_t *producer, rd_kafka_topic_t *handle, long rate) {
  char *value = make_value(value_bytes);
  int64_t start = clock_ns();
  for (long i = 0; i < messages; i++) {
    int64_t due = start + i * 1000000000LL / rate, now;
    while ((now = clock_ns()) < due) {
      struct timespec rest = {0, due - now};
      if (due - now > 100000) nanosleep(&rest, NULL); // closer than that, a sleep would overshoot: spin
    }
    memcpy(value, &now, sizeof now);
    enqueue(producer, handle, i, value, now);
  }
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
  long rate = number_argument("rate", 1000);
  rd_kafka_t *consumer = make_consumer(), *producer = make_producer();
  open_topic(consumer);
  rd_kafka_topic_t *handle = open_topic(producer);
  ack_at = malloc(messages * sizeof *ack_at);
  ack_took = malloc(messages * sizeof *ack_took);
  arrival_took = malloc(messages * sizeof *arrival_took);
  pthread_t receiver, reporter;
  assign_all(consumer, RD_KAFKA_OFFSET_BEGINNING); // the topic is new: nothing lies before our own messages
  pthread_create(&receiver, NULL, receive_thread, consumer);
  pthread_create(&reporter, NULL, report_thread, producer);
  sleep(1); // the consumer is connected and its fetch is parked
  mark("begin");
  int64_t start = clock_ns();
  send_paced(producer, handle, rate);
  pthread_join(receiver, NULL); // not flush: it too would serve delivery reports, beside the reporting thread
  while (delivered + failed < messages) usleep(1000);
  double seconds = seconds_since(start);
  pacing_done = 1;
  pthread_join(reporter, NULL);
  mark("end");
  long skipped = messages / 10; // the first tenth fills caches and code paths
  printf("{\"messages\":%ld,\"seconds\":%.6f,\"failed\":%ld", received, seconds, failed);
  int64_t stall = 0, *kept = malloc(messages * sizeof *kept);
  memcpy(kept, ack_took + skipped, (delivered - skipped) * sizeof *kept);
  long outside = outside_stall(ack_at + skipped, kept, delivered - skipped, &stall);
  print_percentiles("ack_ms", ack_took + skipped, delivered - skipped);
  print_percentiles("e2e_ms", arrival_took + skipped, received - skipped);
  if (number_argument("outside", 0)) {
    printf(",\"stall_ms\":%.4f,\"outside\":%ld", stall / 1e6, outside);
    print_percentiles("outside_ms", kept, outside);
  }
  printf("}\n");
}

int main(int count, char **values) {
  argument_count = count;
  arguments = values;
  const char *mode = count > 1 ? values[1] : "";
  topic = text_argument("topic", "bench");
  linger_ms = text_argument("linger", "5");
  partitions = number_argument("partitions", 1);
  messages = number_argument("messages", 1000000);
  value_bytes = number_argument("bytes", 1024);
  if (!strcmp(mode, "produce")) produce();
  else if (!strcmp(mode, "consume")) consume();
  else if (!strcmp(mode, "latency")) latency();
  else die("librdkafka-client produce | consume | latency --name value …");
  fflush(stdout);
  _exit(0); // closing consumer and producer tidily takes seconds and measures nothing
}
