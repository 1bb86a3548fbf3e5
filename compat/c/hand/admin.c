// What an administrator asks. Each question waits for its one answer.
#include "hand.h"

/** Two consumers that never join: offsets are asked for with the isolation that a client has. */
static rd_kafka_t *asking(bool committed) {
  static rd_kafka_t *held[2];
  if (!held[committed]) {
    rd_kafka_conf_t *conf = config();
    set(conf, "group.id", "nobody");
    set(conf, "isolation.level", committed ? "read_committed" : "read_uncommitted");
    held[committed] = client(RD_KAFKA_CONSUMER, conf);
  }
  return held[committed];
}

static rd_kafka_queue_t *answers(void) {
  static rd_kafka_queue_t *queue;
  if (!queue) queue = rd_kafka_queue_new(asking(false));
  return queue;
}

static rd_kafka_event_t *answered(void) {
  rd_kafka_event_t *event = rd_kafka_queue_poll(answers(), admin_ms + 30000);
  if (!event) refuse(RD_KAFKA_RESP_ERR__TIMED_OUT, NULL);
  if (rd_kafka_event_error(event)) refuse(rd_kafka_event_error(event), rd_kafka_event_error_string(event));
  return event;
}

static void check_topic(const rd_kafka_topic_result_t **results) {
  if (rd_kafka_topic_result_error(*results))
    refuse(rd_kafka_topic_result_error(*results), rd_kafka_topic_result_error_string(*results));
}

static void check_group(const rd_kafka_group_result_t *result) {
  const rd_kafka_error_t *error = rd_kafka_group_result_error(result);
  if (error) refuse(rd_kafka_error_code(error), rd_kafka_error_string(error));
}

void createTopic(const Json *ask, Line *ok) {
  (void)ok;
  char why[512];
  rd_kafka_NewTopic_t *topic =
      rd_kafka_NewTopic_new(text_of(ask, "topic", ""), (int)number_of(ask, "partitions", 1), 1, why, sizeof why);
  if (!topic) refuse(RD_KAFKA_RESP_ERR__INVALID_ARG, why);
  for (const Json *each = field(ask, "configs")->first; each; each = each->next)
    check(rd_kafka_NewTopic_set_config(topic, each->name, each->text));
  rd_kafka_CreateTopics(asking(false), &topic, 1, NULL, answers());
  rd_kafka_NewTopic_destroy(topic);
  rd_kafka_event_t *event = answered();
  size_t count;
  check_topic(rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count));
  rd_kafka_event_destroy(event);
}

void deleteTopic(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(text_of(ask, "topic", ""));
  rd_kafka_DeleteTopics(asking(false), &topic, 1, NULL, answers());
  rd_kafka_DeleteTopic_destroy(topic);
  rd_kafka_event_t *event = answered();
  size_t count;
  check_topic(rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count));
  rd_kafka_event_destroy(event);
}

void createPartitions(const Json *ask, Line *ok) {
  (void)ok;
  char why[512];
  rd_kafka_NewPartitions_t *more =
      rd_kafka_NewPartitions_new(text_of(ask, "topic", ""), (size_t)number_of(ask, "count", 0), why, sizeof why);
  if (!more) refuse(RD_KAFKA_RESP_ERR__INVALID_ARG, why);
  rd_kafka_CreatePartitions(asking(false), &more, 1, NULL, answers());
  rd_kafka_NewPartitions_destroy(more);
  rd_kafka_event_t *event = answered();
  size_t count;
  check_topic(rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event), &count));
  rd_kafka_event_destroy(event);
}

void listTopics(const Json *ask, Line *ok) {
  (void)ask;
  const rd_kafka_metadata_t *found;
  check(rd_kafka_metadata(asking(false), 1, NULL, &found, admin_ms));
  say(ok, "\"topics\":[");
  for (int i = 0; i < found->topic_cnt; i++) {
    if (i) say(ok, ",");
    say_text(ok, found->topics[i].topic);
  }
  say(ok, "]");
  rd_kafka_metadata_destroy(found);
}

static int by_number(const void *a, const void *b) {
  return ((const rd_kafka_metadata_partition_t *)a)->id - ((const rd_kafka_metadata_partition_t *)b)->id;
}

void describeTopic(const Json *ask, Line *ok) {
  const rd_kafka_metadata_t *found;
  rd_kafka_topic_t *topic = rd_kafka_topic_new(asking(false), text_of(ask, "topic", ""), NULL);
  rd_kafka_resp_err_t code = rd_kafka_metadata(asking(false), 0, topic, &found, admin_ms);
  rd_kafka_topic_destroy(topic);
  check(code);
  check(found->topics[0].err);
  rd_kafka_metadata_partition_t *each = found->topics[0].partitions;
  int count = found->topics[0].partition_cnt;
  qsort(each, (size_t)count, sizeof *each, by_number);
  say(ok, "\"partitions\":[");
  for (int i = 0; i < count; i++, each++) {
    say(ok, "%s{\"partition\":%d,\"leader\":%d,\"replicas\":[", i ? "," : "", each->id, each->leader);
    for (int r = 0; r < each->replica_cnt; r++) say(ok, "%s%d", r ? "," : "", each->replicas[r]);
    say(ok, "]}");
  }
  say(ok, "]");
  rd_kafka_metadata_destroy(found);
}

void describeCluster(const Json *ask, Line *ok) {
  (void)ask;
  const rd_kafka_metadata_t *found;
  check(rd_kafka_metadata(asking(false), 0, NULL, &found, admin_ms));
  char *cluster = rd_kafka_clusterid(asking(false), admin_ms);
  say(ok, "\"clusterId\":");
  say_text(ok, cluster);
  say(ok, ",\"controller\":%d,\"brokers\":[", rd_kafka_controllerid(asking(false), admin_ms));
  for (int i = 0; i < found->broker_cnt; i++) {
    say(ok, "%s{\"id\":%d,\"host\":", i ? "," : "", found->brokers[i].id);
    say_text(ok, found->brokers[i].host);
    say(ok, ",\"port\":%d}", found->brokers[i].port);
  }
  say(ok, "]");
  rd_kafka_mem_free(asking(false), cluster);
  rd_kafka_metadata_destroy(found);
}

static rd_kafka_ConfigResource_t *resource_of(const Json *ask) {
  bool topic = !strcmp(text_of(ask, "resource", ""), "topic");
  return rd_kafka_ConfigResource_new(topic ? RD_KAFKA_RESOURCE_TOPIC : RD_KAFKA_RESOURCE_BROKER, text_of(ask, "name", ""));
}

static void check_resource(const rd_kafka_ConfigResource_t *resource) {
  if (rd_kafka_ConfigResource_error(resource))
    refuse(rd_kafka_ConfigResource_error(resource), rd_kafka_ConfigResource_error_string(resource));
}

void describeConfigs(const Json *ask, Line *ok) {
  rd_kafka_ConfigResource_t *resource = resource_of(ask);
  rd_kafka_DescribeConfigs(asking(false), &resource, 1, NULL, answers());
  rd_kafka_ConfigResource_destroy(resource);
  rd_kafka_event_t *event = answered();
  size_t count;
  const rd_kafka_ConfigResource_t **found =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
  check_resource(*found);
  const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(*found, &count);
  say(ok, "\"configs\":{");
  int told = 0;
  for (size_t i = 0; i < count; i++) {
    const char *name = rd_kafka_ConfigEntry_name(entries[i]);
    const Json *wanted = field(ask, "names")->first;
    while (wanted && strcmp(wanted->text, name)) wanted = wanted->next;
    if (!wanted) continue;
    say(ok, "%s\"%s\":{\"value\":", told++ ? "," : "", name);
    say_text(ok, rd_kafka_ConfigEntry_value(entries[i]));
    say(ok, ",\"source\":\"%s\",\"readOnly\":%s}", rd_kafka_ConfigSource_name(rd_kafka_ConfigEntry_source(entries[i])),
        rd_kafka_ConfigEntry_is_read_only(entries[i]) == 1 ? "true" : "false");
  }
  say(ok, "}");
  rd_kafka_event_destroy(event);
}

void replaceConfigs(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_ConfigResource_t *resource = resource_of(ask);
  for (const Json *each = field(ask, "configs")->first; each; each = each->next)
    check(rd_kafka_ConfigResource_set_config(resource, each->name, each->text));
  rd_kafka_AlterConfigs(asking(false), &resource, 1, NULL, answers());
  rd_kafka_ConfigResource_destroy(resource);
  rd_kafka_event_t *event = answered();
  size_t count;
  check_resource(*rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(event), &count));
  rd_kafka_event_destroy(event);
}

void deleteRecords(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  int64_t before = number_of(ask, "before", 0);
  rd_kafka_topic_partition_list_add(list, text_of(ask, "topic", ""), (int32_t)number_of(ask, "partition", 0))->offset =
      before == -1 ? RD_KAFKA_OFFSET_END : before;
  rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
  rd_kafka_DeleteRecords(asking(false), &records, 1, NULL, answers());
  rd_kafka_DeleteRecords_destroy(records);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_event_t *event = answered();
  check(rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event))->elems[0].err);
  rd_kafka_event_destroy(event);
}

int64_t offset_at(const char *topic, int32_t partition, const Json *at, bool committed) {
  if (at->kind == TEXT) {
    int64_t low, high;
    check(rd_kafka_query_watermark_offsets(asking(committed), topic, partition, &low, &high, admin_ms));
    return !strcmp(at->text, "start") ? low : high;
  }
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic, partition)->offset = (int64_t)at->number;
  rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(asking(committed), list, admin_ms);
  if (!code) code = list->elems[0].err;
  int64_t found = list->elems[0].offset;
  rd_kafka_topic_partition_list_destroy(list);
  check(code);
  return found;
}

void offsetAt(const Json *ask, Line *ok) {
  bool committed = !strcmp(text_of(ask, "isolation", ""), "read_committed");
  int32_t partition = (int32_t)number_of(ask, "partition", 0);
  say(ok, "\"offset\":%lld", (long long)offset_at(text_of(ask, "topic", ""), partition, field(ask, "at"), committed));
}

void listGroups(const Json *ask, Line *ok) {
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(asking(false), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
  rd_kafka_consumer_group_state_t states[RD_KAFKA_CONSUMER_GROUP_STATE__CNT];
  size_t count = 0;
  for (const Json *each = field(ask, "states")->first; each && count < sizeof states / sizeof *states; each = each->next)
    states[count++] = rd_kafka_consumer_group_state_code(each->text);
  if (count) refuse_error(rd_kafka_AdminOptions_set_match_consumer_group_states(options, states, count));
  rd_kafka_ListConsumerGroups(asking(false), options, answers());
  rd_kafka_AdminOptions_destroy(options);
  rd_kafka_event_t *event = answered();
  const rd_kafka_ConsumerGroupListing_t **found =
      rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(event), &count);
  say(ok, "\"groups\":[");
  for (size_t i = 0; i < count; i++) {
    say(ok, "%s{\"group\":", i ? "," : "");
    say_text(ok, rd_kafka_ConsumerGroupListing_group_id(found[i]));
    say(ok, ",\"state\":\"%s\",\"type\":null}",
        rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupListing_state(found[i])));
  }
  say(ok, "]");
  rd_kafka_event_destroy(event);
}

void describeGroup(const Json *ask, Line *ok) {
  const char *name = text_of(ask, "group", "");
  rd_kafka_DescribeConsumerGroups(asking(false), &name, 1, NULL, answers());
  rd_kafka_event_t *event = answered();
  size_t count;
  const rd_kafka_ConsumerGroupDescription_t *group =
      *rd_kafka_DescribeConsumerGroups_result_groups(rd_kafka_event_DescribeConsumerGroups_result(event), &count);
  const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(group);
  if (error) refuse(rd_kafka_error_code(error), rd_kafka_error_string(error));
  say(ok, "\"state\":\"%s\",\"protocol\":",
      rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(group)));
  say_text(ok, rd_kafka_ConsumerGroupDescription_partition_assignor(group));
  say(ok, ",\"members\":[");
  for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); i++) {
    const rd_kafka_MemberDescription_t *member = rd_kafka_ConsumerGroupDescription_member(group, i);
    say(ok, "%s{\"clientId\":", i ? "," : "");
    say_text(ok, rd_kafka_MemberDescription_client_id(member));
    say(ok, ",\"instance\":");
    say_text(ok, rd_kafka_MemberDescription_group_instance_id(member));
    say(ok, ",\"assigned\":");
    say_places(ok, rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(member)));
    say(ok, "}");
  }
  say(ok, "]");
  rd_kafka_event_destroy(event);
}

void deleteGroup(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_DeleteGroup_t *group = rd_kafka_DeleteGroup_new(text_of(ask, "group", ""));
  rd_kafka_DeleteGroups(asking(false), &group, 1, NULL, answers());
  rd_kafka_DeleteGroup_destroy(group);
  rd_kafka_event_t *event = answered();
  size_t count;
  check_group(*rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(event), &count));
  rd_kafka_event_destroy(event);
}

void groupOffsets(const Json *ask, Line *ok) {
  rd_kafka_ListConsumerGroupOffsets_t *asked = rd_kafka_ListConsumerGroupOffsets_new(text_of(ask, "group", ""), NULL);
  rd_kafka_ListConsumerGroupOffsets(asking(false), &asked, 1, NULL, answers());
  rd_kafka_ListConsumerGroupOffsets_destroy(asked);
  rd_kafka_event_t *event = answered();
  size_t count;
  const rd_kafka_group_result_t *group =
      *rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
  check_group(group);
  const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(group);
  say(ok, "\"offsets\":[");
  for (int i = 0, told = 0; list && i < list->cnt; i++) {
    const rd_kafka_topic_partition_t *each = &list->elems[i];
    check(each->err);
    if (strcmp(each->topic, text_of(ask, "topic", "")) || each->offset < 0) continue;
    char *metadata = strndup(each->metadata_size ? each->metadata : "", each->metadata_size);
    say(ok, "%s{\"partition\":%d,\"offset\":%lld,\"metadata\":", told++ ? "," : "", each->partition, (long long)each->offset);
    say_text(ok, metadata);
    say(ok, "}");
    free(metadata);
  }
  say(ok, "]");
  rd_kafka_event_destroy(event);
}

static void check_offsets(const rd_kafka_group_result_t *group) {
  check_group(group);
  const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(group);
  for (int i = 0; list && i < list->cnt; i++) check(list->elems[i].err);
}

void setGroupOffsets(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_topic_partition_list_t *offsets = places(field(ask, "offsets"));
  rd_kafka_AlterConsumerGroupOffsets_t *asked =
      rd_kafka_AlterConsumerGroupOffsets_new(text_of(ask, "group", ""), offsets);
  rd_kafka_topic_partition_list_destroy(offsets);
  rd_kafka_AlterConsumerGroupOffsets(asking(false), &asked, 1, NULL, answers());
  rd_kafka_AlterConsumerGroupOffsets_destroy(asked);
  rd_kafka_event_t *event = answered();
  size_t count;
  check_offsets(
      *rd_kafka_AlterConsumerGroupOffsets_result_groups(rd_kafka_event_AlterConsumerGroupOffsets_result(event), &count));
  rd_kafka_event_destroy(event);
}

void deleteGroupOffsets(const Json *ask, Line *ok) {
  (void)ok;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
  for (const Json *each = field(ask, "partitions")->first; each; each = each->next)
    rd_kafka_topic_partition_list_add(list, text_of(ask, "topic", ""), (int32_t)each->number);
  rd_kafka_DeleteConsumerGroupOffsets_t *asked =
      rd_kafka_DeleteConsumerGroupOffsets_new(text_of(ask, "group", ""), list);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_DeleteConsumerGroupOffsets(asking(false), &asked, 1, NULL, answers());
  rd_kafka_DeleteConsumerGroupOffsets_destroy(asked);
  rd_kafka_event_t *event = answered();
  size_t count;
  check_offsets(*rd_kafka_DeleteConsumerGroupOffsets_result_groups(
      rd_kafka_event_DeleteConsumerGroupOffsets_result(event), &count));
  rd_kafka_event_destroy(event);
}
