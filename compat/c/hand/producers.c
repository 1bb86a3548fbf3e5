// Producers, with and without transactions.
#include "hand.h"
#include <time.h>

static Open *producers;

typedef struct {
  int left;
  rd_kafka_resp_err_t failure;
  int64_t *offsets;
} Sending;

static void delivered(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
  (void)producer, (void)opaque;
  int64_t *offset = message->_private;
  if (!offset) return;
  Sending *sending = *(Sending **)offset; // see produce
  sending->left--;
  if (message->err && !sending->failure) sending->failure = message->err;
  offset[1] = message->offset;
}

void openProducer(const Json *ask, Line *ok) {
  (void)ok;
  const char *transactional = text_of(ask, "transactionalId", NULL);
  rd_kafka_conf_t *conf = config();
  const Json *acks = field(ask, "acks");
  if (acks->kind == NUMBER) set_number(conf, "acks", (int64_t)acks->number);
  else set(conf, "acks", "all");
  set(conf, "compression.type", text_of(ask, "codec", "none"));
  set(conf, "enable.idempotence", number_of(ask, "idempotent", 0) || transactional ? "true" : "false");
  set_number(conf, "message.timeout.ms", patience_ms);
  set(conf, "message.max.bytes", "1048588"); // what a broker takes by default; librdkafka's own is a little less
  set(conf, "linger.ms", "20");
  set(conf, "topic.metadata.refresh.interval.ms", "2000");
  if (has(ask, "batchBytes")) set_number(conf, "batch.size", number_of(ask, "batchBytes", 0));
  if (transactional) {
    int64_t timeout = number_of(ask, "transactionTimeoutMs", 60000);
    set(conf, "transactional.id", transactional);
    set_number(conf, "transaction.timeout.ms", timeout);
    set_number(conf, "message.timeout.ms", timeout < patience_ms ? timeout : patience_ms);
    int64_t socket = timeout - 100 < 1000 ? 1000 : timeout - 100 > 60000 ? 60000 : timeout - 100;
    set_number(conf, "socket.timeout.ms", socket);
  }
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_t *made = client(RD_KAFKA_PRODUCER, conf);
  if (transactional) refuse_error(rd_kafka_init_transactions(made, patience_ms));
  Open *open = keep(&producers, text_of(ask, "producer", ""), made);
  open->tells_offsets = acks->kind != NUMBER || acks->number != 0;
  open->hurries = transactional && number_of(ask, "transactionTimeoutMs", 60000) < 3000;
}

static void send_one(rd_kafka_t *producer, const char *topic, const Json *record, void *opaque) {
  rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
  for (const Json *each = field(record, "headers")->first; each; each = each->next) {
    size_t size;
    const Json *name = each->first;
    void *held = bytes_of(name->next, &size);
    rd_kafka_header_add(headers, name->text, (ssize_t)name->size, held, (ssize_t)size);
  }
  size_t key_size, value_size;
  void *key = bytes_of(field(record, "key"), &key_size);
  void *value = bytes_of(field(record, "value"), &value_size);
  for (;;) {
    rd_kafka_resp_err_t code = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION((int32_t)number_of(record, "partition", RD_KAFKA_PARTITION_UA)),
        RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE(value, value_size), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_TIMESTAMP(number_of(record, "timestamp", 0)), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    if (!code) return;
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      rd_kafka_headers_destroy(headers);
      refuse(code, NULL);
    }
    rd_kafka_poll(producer, 50);
  }
}

/** librdkafka looks for topics that it does not know once a second, and by then the records may be too old. */
static void learn(rd_kafka_t *producer, const char *name) {
  const struct rd_kafka_metadata *known;
  rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, name, NULL);
  if (!rd_kafka_metadata(producer, 0, topic, &known, admin_ms)) rd_kafka_metadata_destroy(known);
  rd_kafka_topic_destroy(topic);
}

/** Each record has two numbers: where its sending is, and the offset it got. Nothing is freed that a late report may name. */
void produce(const Json *ask, Line *ok) {
  Open *open = opened(producers, text_of(ask, "producer", ""));
  const Json *records = field(ask, "records");
  int count = count_of(records), index = 0;
  if (open->hurries) learn(open->client, text_of(ask, "topic", ""));
  Sending *sending = calloc(1, sizeof *sending);
  sending->offsets = calloc((size_t)count * 2 + 1, sizeof *sending->offsets);
  for (const Json *each = records->first; each; each = each->next, index++) {
    int64_t *pair = sending->offsets + index * 2;
    *(Sending **)pair = sending;
    sending->left++;
    send_one(open->client, text_of(ask, "topic", ""), each, pair);
    rd_kafka_poll(open->client, 0);
  }
  time_t give_up_at = time(NULL) + patience_ms / 1000 + 2;
  while (sending->left > 0 && time(NULL) < give_up_at) rd_kafka_poll(open->client, 50);
  check(sending->failure);
  if (sending->left > 0) refuse(RD_KAFKA_RESP_ERR__TIMED_OUT, "records were neither acknowledged nor refused");
  if (open->tells_offsets) {
    say(ok, "\"offsets\":[");
    for (int i = 0; i < count; i++) say(ok, "%s%lld", i ? "," : "", (long long)sending->offsets[i * 2 + 1]);
    say(ok, "]");
  } else
    say(ok, "\"offsets\":null");
  free(sending->offsets);
  free(sending);
}

static rd_kafka_t *named(const Json *ask) { return opened(producers, text_of(ask, "producer", ""))->client; }

void beginTransaction(const Json *ask, Line *ok) {
  (void)ok;
  refuse_error(rd_kafka_begin_transaction(named(ask)));
}

void sendOffsets(const Json *ask, Line *ok) {
  (void)ok;
  const char *consumer = text_of(ask, "consumer", NULL);
  rd_kafka_consumer_group_metadata_t *group =
      consumer ? rd_kafka_consumer_group_metadata(opened(consumers, consumer)->client)
               : rd_kafka_consumer_group_metadata_new(text_of(ask, "group", ""));
  rd_kafka_topic_partition_list_t *offsets = places(field(ask, "offsets"));
  rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(named(ask), offsets, group, patience_ms);
  rd_kafka_topic_partition_list_destroy(offsets);
  rd_kafka_consumer_group_metadata_destroy(group);
  refuse_error(error);
}

void commitTransaction(const Json *ask, Line *ok) {
  (void)ok;
  refuse_error(rd_kafka_commit_transaction(named(ask), patience_ms));
}

void abortTransaction(const Json *ask, Line *ok) {
  (void)ok;
  refuse_error(rd_kafka_abort_transaction(named(ask), patience_ms));
}

void closeProducer(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_t *held = forget(&producers, text_of(ask, "producer", ""));
  if (!held) return;
  rd_kafka_purge(held, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_flush(held, 500);
  rd_kafka_destroy(held);
}
