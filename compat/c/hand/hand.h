// What the parts of the hand share: the verbs, and how one of them gives up.
#pragma once
#include "json.h"
#include <librdkafka/rdkafka.h>

typedef void Verb(const Json *ask, Line *ok);

/** Ends the verb with this answer; what it held is left to the end of the program. */
_Noreturn void refuse(rd_kafka_resp_err_t, const char *message);
/** Nothing where there is no error. */
void refuse_error(rd_kafka_error_t *);
void check(rd_kafka_resp_err_t);

void set(rd_kafka_conf_t *, const char *name, const char *value);
void set_number(rd_kafka_conf_t *, const char *name, int64_t value);
rd_kafka_conf_t *config(void);
rd_kafka_t *client(rd_kafka_type_t, rd_kafka_conf_t *);

/** Clients by the names that the scenario gives them. */
typedef struct Open {
  char *name;
  rd_kafka_t *client;
  bool tells_offsets;
  bool hurries; // its records have no more than a second or two
  rd_kafka_topic_partition_list_t *behind; // the last records that poll gave
  struct Open *next;
} Open;
Open *keep(Open **, const char *name, rd_kafka_t *);
Open *opened(Open *, const char *name);
rd_kafka_t *forget(Open **, const char *name); // NULL: there is none

rd_kafka_topic_partition_list_t *places(const Json *list);
void say_places(Line *, const rd_kafka_topic_partition_list_t *);
int64_t offset_at(const char *topic, int32_t partition, const Json *at, bool committed);

extern Open *consumers;
enum { patience_ms = 45000, admin_ms = 30000 };

Verb createTopic, deleteTopic, listTopics, describeTopic, createPartitions, describeConfigs, replaceConfigs, deleteRecords,
    offsetAt, describeCluster, listGroups, describeGroup, deleteGroup, groupOffsets, setGroupOffsets, deleteGroupOffsets;
Verb openProducer, produce, beginTransaction, sendOffsets, commitTransaction, abortTransaction, closeProducer;
Verb openConsumer, joinGroup, poll_, commitOffsets, pause_, resume, seek_, closeConsumer;
void close_consumers(void);
