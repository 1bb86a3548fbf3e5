// Consumers: one partition without a group, or a member of one. librdkafka keeps the member alive by itself.
#include "hand.h"
#include <stdio.h>

Open *consumers;

static rd_kafka_conf_t *reading(const Json *ask, const char *group) {
  rd_kafka_conf_t *conf = config();
  set(conf, "group.id", group);
  set(conf, "enable.auto.commit", "false");
  set(conf, "enable.auto.offset.store", "false");
  set(conf, "isolation.level", text_of(ask, "isolation", "read_uncommitted"));
  set(conf, "fetch.wait.max.ms", "100");
  set(conf, "topic.metadata.refresh.interval.ms", "1000");
  int64_t bytes = number_of(ask, "fetchBytes", 0);
  if (bytes) {
    int64_t all = bytes < 1000 ? 1000 : bytes;
    int64_t answer = bytes + 100000000;
    set_number(conf, "message.max.bytes", all > 1000000000 ? 1000000000 : all);
    set_number(conf, "fetch.max.bytes", all);
    set_number(conf, "max.partition.fetch.bytes", bytes);
    set_number(conf, "receive.message.max.bytes", answer > 2147483647 ? 2147483647 : answer);
  }
  return conf;
}

void openConsumer(const Json *ask, Line *ok) {
  (void)ok;
  const char *topic = text_of(ask, "topic", "");
  int32_t partition = (int32_t)number_of(ask, "partition", 0);
  const Json *from = field(ask, "from");
  bool committed = !strcmp(text_of(ask, "isolation", ""), "read_committed");
  int64_t at;
  if (has(from, "offset")) at = number_of(from, "offset", 0);
  else at = offset_at(topic, partition, has(from, "timestamp") ? field(from, "timestamp") : from, committed);
  if (at < 0) { // no record is that young: what comes is
    Json end = {.kind = TEXT, .text = "end"};
    at = offset_at(topic, partition, &end, committed);
  }
  rd_kafka_conf_t *conf = reading(ask, "nobody");
  set(conf, "auto.offset.reset", "error");
  rd_kafka_t *made = client(RD_KAFKA_CONSUMER, conf);
  rd_kafka_poll_set_consumer(made);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, partition)->offset = at;
  rd_kafka_resp_err_t code = rd_kafka_assign(made, list);
  rd_kafka_topic_partition_list_destroy(list);
  check(code);
  keep(&consumers, text_of(ask, "consumer", ""), made);
}

void joinGroup(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_conf_t *conf = reading(ask, text_of(ask, "group", ""));
  set(conf, "auto.offset.reset", text_of(ask, "reset", "earliest"));
  int64_t session = number_of(ask, "sessionTimeoutMs", 45000);
  set_number(conf, "session.timeout.ms", session);
  set_number(conf, "heartbeat.interval.ms", session / 3 < 1000 ? session / 3 : 1000);
  if (has(ask, "assignor")) set(conf, "partition.assignment.strategy", text_of(ask, "assignor", ""));
  if (has(ask, "instance")) set(conf, "group.instance.id", text_of(ask, "instance", ""));
  rd_kafka_t *made = client(RD_KAFKA_CONSUMER, conf);
  rd_kafka_poll_set_consumer(made);
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  if (has(ask, "pattern")) {
    char pattern[512];
    snprintf(pattern, sizeof pattern, "^%s", text_of(ask, "pattern", ""));
    rd_kafka_topic_partition_list_add(list, pattern, RD_KAFKA_PARTITION_UA);
  }
  for (const Json *each = field(ask, "topics")->first; each; each = each->next)
    rd_kafka_topic_partition_list_add(list, each->text, RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t code = rd_kafka_subscribe(made, list);
  rd_kafka_topic_partition_list_destroy(list);
  check(code);
  keep(&consumers, text_of(ask, "consumer", ""), made);
}

/** What librdkafka will not overcome; it goes on by itself where a topic or a coordinator is not there yet. */
static bool grave(rd_kafka_resp_err_t code) {
  switch (code) {
  case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
  case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
  case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
  case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
  case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
  case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
  case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
    return false;
  default:
    return code > 0 || code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
  }
}

static void say_record(Line *ok, rd_kafka_message_t *message) {
  say(ok, "{\"topic\":");
  say_text(ok, rd_kafka_topic_name(message->rkt));
  say(ok, ",\"partition\":%d,\"offset\":%lld,\"timestamp\":%lld,\"key\":", message->partition, (long long)message->offset,
      (long long)rd_kafka_message_timestamp(message, NULL));
  say_bytes(ok, message->key, message->key_len);
  say(ok, ",\"value\":");
  say_bytes(ok, message->payload, message->len);
  say(ok, ",\"headers\":[");
  rd_kafka_headers_t *headers;
  if (!rd_kafka_message_headers(message, &headers)) {
    const char *name;
    const void *held;
    size_t size;
    for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &held, &size); i++) {
      say(ok, "%s[", i ? "," : "");
      say_text(ok, name);
      say(ok, ",");
      say_bytes(ok, held, size);
      say(ok, "]");
    }
  }
  say(ok, "]}");
}

void poll_(const Json *ask, Line *ok) {
  Open *open = opened(consumers, text_of(ask, "consumer", ""));
  int wait = (int)number_of(ask, "ms", 0), told = 0;
  say(ok, "\"records\":[");
  rd_kafka_message_t *message;
  while ((message = rd_kafka_consumer_poll(open->client, wait))) {
    rd_kafka_resp_err_t code = message->err;
    if (!code) {
      if (told++) say(ok, ",");
      say_record(ok, message);
      const char *topic = rd_kafka_topic_name(message->rkt);
      rd_kafka_topic_partition_t *behind = rd_kafka_topic_partition_list_find(open->behind, topic, message->partition);
      if (!behind) behind = rd_kafka_topic_partition_list_add(open->behind, topic, message->partition);
      behind->offset = message->offset + 1;
    }
    rd_kafka_message_destroy(message);
    if (grave(code)) refuse(code, NULL);
    wait = 0;
  }
  rd_kafka_topic_partition_list_t *owned = NULL;
  check(rd_kafka_assignment(open->client, &owned));
  rd_kafka_topic_partition_list_sort(owned, NULL, NULL);
  say(ok, "],\"assigned\":");
  say_places(ok, owned);
  rd_kafka_topic_partition_list_destroy(owned);
}

void commitOffsets(const Json *ask, Line *ok) {
  (void)ok;
  Open *open = opened(consumers, text_of(ask, "consumer", ""));
  rd_kafka_topic_partition_list_t *offsets;
  if (has(ask, "offsets")) offsets = places(field(ask, "offsets"));
  else {
    offsets = rd_kafka_topic_partition_list_new(4);
    rd_kafka_topic_partition_list_t *owned = NULL;
    check(rd_kafka_assignment(open->client, &owned));
    for (int i = 0; i < open->behind->cnt; i++) {
      rd_kafka_topic_partition_t *each = &open->behind->elems[i];
      if (rd_kafka_topic_partition_list_find(owned, each->topic, each->partition))
        rd_kafka_topic_partition_list_add(offsets, each->topic, each->partition)->offset = each->offset;
    }
    rd_kafka_topic_partition_list_destroy(owned);
  }
  rd_kafka_resp_err_t code = offsets->cnt ? rd_kafka_commit(open->client, offsets, 0) : 0;
  for (int i = 0; !code && i < offsets->cnt; i++) code = offsets->elems[i].err;
  rd_kafka_topic_partition_list_destroy(offsets);
  check(code);
}

/** The list holds on to its partitions from then on: one that is forgotten keeps rd_kafka_destroy() from ever ending. */
static void hold_back(const Json *ask, rd_kafka_resp_err_t hold(rd_kafka_t *, rd_kafka_topic_partition_list_t *)) {
  Open *open = opened(consumers, text_of(ask, "consumer", ""));
  rd_kafka_topic_partition_list_t *list = places(field(ask, "partitions"));
  rd_kafka_resp_err_t code = hold(open->client, list);
  for (int i = 0; !code && i < list->cnt; i++) code = list->elems[i].err;
  rd_kafka_topic_partition_list_destroy(list);
  check(code);
}

void pause_(const Json *ask, Line *ok) {
  (void)ok;
  hold_back(ask, rd_kafka_pause_partitions);
}

void resume(const Json *ask, Line *ok) {
  (void)ok;
  hold_back(ask, rd_kafka_resume_partitions);
}

void seek_(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, text_of(ask, "topic", ""), (int32_t)number_of(ask, "partition", 0))->offset =
      number_of(ask, "offset", 0);
  refuse_error(rd_kafka_seek_partitions(opened(consumers, text_of(ask, "consumer", ""))->client, list, admin_ms));
  rd_kafka_resp_err_t code = list->elems[0].err;
  rd_kafka_topic_partition_list_destroy(list);
  check(code);
}

static bool owns_something(rd_kafka_t *held) {
  rd_kafka_topic_partition_list_t *owned = NULL;
  if (rd_kafka_assignment(held, &owned)) return false;
  bool something = owned->cnt > 0;
  rd_kafka_topic_partition_list_destroy(owned);
  return something;
}

/** librdkafka 2.0 closes a cooperative member without a LeaveGroup: the others would wait for its session to end. */
static void leave(rd_kafka_t *held) {
  const char *protocol = rd_kafka_rebalance_protocol(held);
  if (!protocol || strcmp(protocol, "COOPERATIVE") || rd_kafka_unsubscribe(held)) return;
  for (int tries = 0; tries < 100 && owns_something(held); tries++) {
    rd_kafka_message_t *late = rd_kafka_consumer_poll(held, 20);
    if (late) rd_kafka_message_destroy(late);
  }
}

static void finish(rd_kafka_t *held) {
  leave(held);
  rd_kafka_consumer_close(held);
  rd_kafka_destroy(held);
}

void closeConsumer(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_t *held = forget(&consumers, text_of(ask, "consumer", ""));
  if (held) finish(held);
}

void close_consumers(void) {
  for (; consumers; consumers = consumers->next) finish(consumers->client);
}
