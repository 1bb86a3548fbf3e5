// Clients of librdkafka as the measurements want them: settings from named arguments, connected before the timed part begins.
#pragma once
#include "client.h"
#include <librdkafka/rdkafka.h>
#include <pthread.h>

static const char *topic, *linger_ms;
static int partitions;
static long messages, value_bytes;

static void read_arguments(int count, char **values) {
  argument_count = count;
  arguments = values;
  topic = text_argument("topic", "bench");
  linger_ms = text_argument("linger", "5");
  partitions = number_argument("partitions", 1);
  messages = number_argument("messages", 1000000);
  value_bytes = number_argument("bytes", 1024);
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(why);
}

static void set_number(rd_kafka_conf_t *conf, const char *name, long value) {
  char text[32];
  snprintf(text, sizeof text, "%ld", value);
  set(conf, name, text);
}

static rd_kafka_conf_t *common_conf(void) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", text_argument("brokers", "127.0.0.1:9092"));
  set(conf, "broker.address.family", "v4");
  set(conf, "socket.nagle.disable", "true");
  set(conf, "message.max.bytes", "1048588"); // as brokers have it: room for a value of 1 MB and what a batch adds to it
  return conf;
}

static rd_kafka_t *make_client(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
  char why[256];
  rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
  if (!client) die(why);
  return client;
}

// One of `share` producers in this process; they divide the memory that one would have. `index` makes its id its own.
static rd_kafka_t *make_producer(int share, int index, void *opaque,
                                 void (*on_delivery)(rd_kafka_t *, const rd_kafka_message_t *, void *)) {
  rd_kafka_conf_t *conf = common_conf();
  set(conf, "acks", text_argument("acks", "1"));
  set(conf, "linger.ms", linger_ms);
  set(conf, "compression.codec", text_argument("codec", "none"));
  set_number(conf, "queue.buffering.max.messages", 200000 / share < 1000 ? 1000 : 200000 / share);
  set_number(conf, "queue.buffering.max.kbytes", 262144 / share);
  if (number_argument("idempotent", 0)) set(conf, "enable.idempotence", "true");
  if (number_argument("transaction", 0)) {
    char id[300];
    snprintf(id, sizeof id, "%s-%d-%d", topic, getpid(), index);
    set(conf, "transactional.id", id);
  }
  rd_kafka_conf_set_opaque(conf, opaque);
  rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
  return make_client(RD_KAFKA_PRODUCER, conf);
}

static rd_kafka_t *make_consumer(int share) {
  rd_kafka_conf_t *conf = common_conf();
  set(conf, "group.id", "bench"); // partitions are assigned by hand, so no group is ever joined
  set(conf, "enable.auto.commit", "false");
  set(conf, "check.crcs", "false"); // the client's own cost, alike for every broker: kept out
  set_number(conf, "queued.max.messages.kbytes", 131072 / share < 4096 ? 4096 : 131072 / share);
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

static void assign_all(rd_kafka_t *consumer, int64_t offset) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; p++) rd_kafka_topic_partition_list_add(list, topic, p)->offset = offset;
  rd_kafka_assign(consumer, list);
  rd_kafka_topic_partition_list_destroy(list);
}

// Hands out what arrives until `wanted` messages have; each is destroyed after `take`. Takes what is there, and waits only where nothing
// is: librdkafka would wait for a batch to fill, and those who came first would look late. A read of one at a time sees each arrival alone.
static void receive_all(rd_kafka_t *consumer, long wanted, int batch_max,
                        void (*take)(const rd_kafka_message_t *, int64_t now, void *), void *context) {
  enum { batch_limit = 2000 };
  static const int64_t stalled_ns = 60000000000LL;
  rd_kafka_message_t *batch[batch_limit];
  rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
  int64_t progress_at = clock_ns();
  for (long received = 0; received < wanted;) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, 0, batch, batch_max);
    if (count == 0) count = rd_kafka_consume_batch_queue(queue, 100, batch, 1);
    int64_t now = clock_ns();
    for (ssize_t i = 0; i < count; i++) {
      if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (received++ < wanted) take(batch[i], now, context);
      } else if (batch[i]->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        fprintf(stderr, "%s\n", rd_kafka_message_errstr(batch[i]));
      }
      rd_kafka_message_destroy(batch[i]);
    }
    if (count > 0) progress_at = now;
    else if (now - progress_at > stalled_ns) die("nothing arrived for a minute");
  }
  rd_kafka_queue_destroy(queue);
}

static void flush(rd_kafka_t *producer) {
  if (rd_kafka_flush(producer, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR) die("messages stayed undelivered for two minutes");
}
