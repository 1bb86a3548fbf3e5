// The hand of librdkafka in plain C, as Debian's librdkafka-dev has it.
#include "hand.h"
#include <setjmp.h>
#include <stdio.h>

static const char *bootstrap;
/* Where the scenario wants one. */
static const char *client_id;
static jmp_buf given_up;
static Line answer;

_Noreturn void refuse(rd_kafka_resp_err_t code, const char *message) {
  answer.size = 0;
  if (code > 0) say(&answer, "{\"error\":%d,\"message\":", code);
  else say(&answer, "{\"error\":\"CLIENT\",\"message\":");
  Line words = {0};
  say(&words, "%s: %s", rd_kafka_err2name(code), message ? message : rd_kafka_err2str(code));
  say_text(&answer, words.at);
  free(words.at);
  say(&answer, "}");
  longjmp(given_up, 1);
}

void check(rd_kafka_resp_err_t code) {
  if (code) refuse(code, NULL);
}

void refuse_error(rd_kafka_error_t *error) {
  if (error) refuse(rd_kafka_error_code(error), rd_kafka_error_string(error));
}

void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
  char why[512];
  if (rd_kafka_conf_set(conf, name, value, why, sizeof why)) refuse(RD_KAFKA_RESP_ERR__INVALID_ARG, why);
}

void set_number(rd_kafka_conf_t *conf, const char *name, int64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%lld", (long long)value);
  set(conf, name, text);
}

rd_kafka_conf_t *config(void) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", bootstrap);
  if (client_id) set(conf, "client.id", client_id);
  return conf;
}

rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
  char why[512];
  rd_kafka_t *made = rd_kafka_new(type, conf, why, sizeof why);
  if (!made) refuse(rd_kafka_last_error(), why);
  return made;
}

Open *keep(Open **list, const char *name, rd_kafka_t *made) {
  Open *open = calloc(1, sizeof *open);
  *open = (Open){.name = strdup(name), .client = made, .next = *list};
  open->behind = rd_kafka_topic_partition_list_new(4);
  return *list = open;
}

Open *opened(Open *list, const char *name) {
  for (; list; list = list->next)
    if (!strcmp(list->name, name)) return list;
  refuse(RD_KAFKA_RESP_ERR__STATE, "not open");
}

rd_kafka_t *forget(Open **list, const char *name) {
  for (; *list; list = &(*list)->next) {
    Open *open = *list;
    if (strcmp(open->name, name)) continue;
    rd_kafka_t *held = open->client;
    *list = open->next;
    rd_kafka_topic_partition_list_destroy(open->behind);
    free(open->name);
    free(open);
    return held;
  }
  return NULL;
}

rd_kafka_topic_partition_list_t *places(const Json *list) {
  rd_kafka_topic_partition_list_t *made = rd_kafka_topic_partition_list_new(count_of(list));
  for (const Json *each = list->first; each; each = each->next) {
    rd_kafka_topic_partition_t *place =
        rd_kafka_topic_partition_list_add(made, text_of(each, "topic", ""), (int32_t)number_of(each, "partition", 0));
    place->offset = number_of(each, "offset", RD_KAFKA_OFFSET_INVALID);
    const char *metadata = text_of(each, "metadata", NULL);
    if (!metadata) continue;
    place->metadata = strdup(metadata);
    place->metadata_size = strlen(metadata);
  }
  return made;
}

void say_places(Line *ok, const rd_kafka_topic_partition_list_t *list) {
  say(ok, "[");
  for (int i = 0; list && i < list->cnt; i++) {
    say(ok, "%s{\"topic\":", i ? "," : "");
    say_text(ok, list->elems[i].topic);
    say(ok, ",\"partition\":%d}", list->elems[i].partition);
  }
  say(ok, "]");
}

static const struct {
  const char *name;
  Verb *verb;
} verbs[] = {
    {"createTopic", createTopic}, {"deleteTopic", deleteTopic}, {"listTopics", listTopics}, {"describeTopic", describeTopic},
    {"createPartitions", createPartitions}, {"describeConfigs", describeConfigs}, {"replaceConfigs", replaceConfigs},
    {"deleteRecords", deleteRecords}, {"offsetAt", offsetAt}, {"describeCluster", describeCluster},
    {"listGroups", listGroups}, {"describeGroup", describeGroup}, {"deleteGroup", deleteGroup},
    {"groupOffsets", groupOffsets}, {"setGroupOffsets", setGroupOffsets}, {"deleteGroupOffsets", deleteGroupOffsets},
    {"openProducer", openProducer}, {"produce", produce}, {"beginTransaction", beginTransaction},
    {"sendOffsets", sendOffsets}, {"commitTransaction", commitTransaction}, {"abortTransaction", abortTransaction},
    {"closeProducer", closeProducer}, {"openConsumer", openConsumer}, {"joinGroup", joinGroup}, {"poll", poll_},
    {"commitOffsets", commitOffsets}, {"pause", pause_}, {"resume", resume}, {"seek", seek_},
    {"closeConsumer", closeConsumer},
};

static const char *const cannot[][2] = {
    {"alterConfigs", "librdkafka 2.0 has no IncrementalAlterConfigs"},
    {"describeConfigs.resource=group", "librdkafka 2.0 has no configs of groups"},
    {"offsetAt.at=youngest", "librdkafka 2.0 does not ask for the youngest record"},
    {"listGroups.types", "librdkafka 2.0 knows no types of groups"},
    {"describeGroup.type=consumer", "librdkafka 2.0 knows classic groups only"},
    {"describeGroup.type=share", "librdkafka 2.0 knows classic groups only"},
    {"joinGroup.protocol=consumer", "librdkafka 2.0 has no KIP-848"},
    {"joinGroup.assignor=sticky", "librdkafka's only sticky assignor is the cooperative one"},
    {"joinShare", "librdkafka 2.0 has no share consumer"},
    {"describeLogDirs", "librdkafka does not ask for log directories"},
    {"describeProducers", "librdkafka does not describe producers"},
    {"listTransactions", "librdkafka does not list transactions"},
    {"describeTransaction", "librdkafka does not describe transactions"},
    {"setQuotas", "librdkafka does not set quotas"},
    {"describeQuotas", "librdkafka does not describe quotas"},
};

static void play(const Json *ask) {
  answer.size = 0;
  if (setjmp(given_up)) return;
  const char *name = text_of(ask, "verb", "");
  for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
    if (strcmp(verbs[i].name, name)) continue;
    say(&answer, "{\"ok\":{");
    verbs[i].verb(ask, &answer);
    say(&answer, "}}");
    return;
  }
  say(&answer, "{\"cannot\":\"this hand does not play %s\"}", name);
}

static void put(void) {
  fwrite(answer.at, 1, answer.size, stdout);
  fputc('\n', stdout);
  fflush(stdout);
}

int main(int count, char **words) {
  if (count != 2) return 2;
  bootstrap = words[1];
  client_id = getenv("COMPAT_CLIENT_ID");
  say(&answer, "{\"hello\":{\"client\":\"librdkafka\",\"version\":\"%s\",\"runtime\":\"C, gcc %s\",\"clientId\":\"%s\",\"cannot\":{",
      rd_kafka_version_str(), __VERSION__, client_id ? client_id : "rdkafka");
  for (size_t i = 0; i < sizeof cannot / sizeof *cannot; i++)
    say(&answer, "%s\"%s\":\"%s\"", i ? "," : "", cannot[i][0], cannot[i][1]);
  say(&answer, "}}}");
  put();
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, stdin) > 0) {
    Json *ask = json_read(line);
    play(ask);
    put();
    json_free(ask);
  }
  if (!setjmp(given_up)) close_consumers();
  return 0;
}
