"""What an administrator asks."""

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    IsolationLevel,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from hand import Cannot

SECONDS = 30
RESOURCES = {"topic": ResourceType.TOPIC, "broker": ResourceType.BROKER, "group": ResourceType.GROUP}


def only(futures):
    """The result of the one thing that was asked about."""
    (future,) = futures.values()
    return future.result(timeout=SECONDS)


def offset_at(admin, topic, partition, at, isolation=None):
    spec = {"start": OffsetSpec.earliest, "end": OffsetSpec.latest, "youngest": OffsetSpec.max_timestamp}.get(at)
    level = IsolationLevel.READ_COMMITTED if isolation == "read_committed" else IsolationLevel.READ_UNCOMMITTED
    asked = {TopicPartition(topic, partition): spec() if spec else OffsetSpec.for_timestamp(at)}
    return only(admin.list_offsets(asked, isolation_level=level)).offset


class Admin:
    def __init__(self, place):
        self._admin = AdminClient({**place})

    def createTopic(self, ask):
        topic = NewTopic(ask["topic"], ask["partitions"], 1, config=ask.get("configs", {}))
        only(self._admin.create_topics([topic]))

    def deleteTopic(self, ask):
        only(self._admin.delete_topics([ask["topic"]]))

    def listTopics(self, _):
        return {"topics": list(self._admin.list_topics(timeout=SECONDS).topics)}

    def describeTopic(self, ask):
        topic = only(self._admin.describe_topics(TopicCollection([ask["topic"]])))
        found = [
            {"partition": p.id, "leader": p.leader.id, "replicas": [node.id for node in p.replicas]}
            for p in topic.partitions
        ]
        return {"partitions": found}

    def createPartitions(self, ask):
        only(self._admin.create_partitions([NewPartitions(ask["topic"], ask["count"])]))

    def describeConfigs(self, ask):
        entries = only(self._admin.describe_configs([ConfigResource(RESOURCES[ask["resource"]], ask["name"])]))
        configs = {
            name: {
                "value": entry.value,
                "source": ConfigSource(entry.source).name,
                "readOnly": bool(entry.is_read_only),
            }
            for name, entry in entries.items()
            if name in ask["names"]
        }
        return {"configs": configs}

    def alterConfigs(self, ask):
        changes = [
            ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            for name, value in ask.get("set", {}).items()
        ] + [
            ConfigEntry(name, None, incremental_operation=AlterConfigOpType.DELETE) for name in ask.get("remove", [])
        ]
        resource = ConfigResource(RESOURCES[ask["resource"]], ask["name"], incremental_configs=changes)
        only(self._admin.incremental_alter_configs([resource]))

    def replaceConfigs(self, ask):
        resource = ConfigResource(RESOURCES[ask["resource"]], ask["name"], set_config=ask["configs"])
        only(self._admin.alter_configs([resource]))

    def deleteRecords(self, ask):
        only(self._admin.delete_records([TopicPartition(ask["topic"], ask["partition"], ask["before"])]))

    def offsetAt(self, ask):
        return {"offset": offset_at(self._admin, ask["topic"], ask["partition"], ask["at"], ask.get("isolation"))}

    def describeCluster(self, _):
        cluster = self._admin.describe_cluster().result(timeout=SECONDS)
        brokers = [{"id": node.id, "host": node.host, "port": node.port} for node in cluster.nodes]
        return {"clusterId": cluster.cluster_id, "controller": cluster.controller.id, "brokers": brokers}

    def listGroups(self, ask):
        filters = {}
        if "states" in ask:
            words = {"Stable": "STABLE", "Empty": "EMPTY", "Dead": "DEAD"}
            filters["states"] = {ConsumerGroupState[words[state]] for state in ask["states"]}
        if "types" in ask:
            if not set(ask["types"]) <= {"classic", "consumer"}:
                raise Cannot("librdkafka knows no groups but classic and consumer ones")
            filters["types"] = {ConsumerGroupType[word.upper()] for word in ask["types"]}
        found = self._admin.list_consumer_groups(**filters).result(timeout=SECONDS)
        groups = [
            {"group": each.group_id, "state": spelled(each.state.name), "type": each.type.name.lower()}
            for each in found.valid
        ]
        return {"groups": groups}

    def describeGroup(self, ask):
        if ask.get("type") == "share":
            raise Cannot("librdkafka does not describe share groups")
        group = only(self._admin.describe_consumer_groups([ask["group"]]))
        members = [
            {
                "clientId": member.client_id,
                "instance": member.group_instance_id,
                "assigned": [
                    {"topic": each.topic, "partition": each.partition} for each in member.assignment.topic_partitions
                ],
            }
            for member in group.members
        ]
        return {"state": spelled(group.state.name), "protocol": group.partition_assignor, "members": members}

    def deleteGroup(self, ask):
        only(self._admin.delete_consumer_groups([ask["group"]]))

    def groupOffsets(self, ask):
        committed = only(self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(ask["group"])]))
        offsets = [
            {"partition": each.partition, "offset": each.offset, "metadata": each.metadata or ""}
            for each in committed.topic_partitions
            if each.topic == ask["topic"] and each.offset >= 0
        ]
        return {"offsets": offsets}

    def setGroupOffsets(self, ask):
        offsets = [
            TopicPartition(each["topic"], each["partition"], each["offset"], each.get("metadata", ""))
            for each in ask["offsets"]
        ]
        result = only(self._admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(ask["group"], offsets)]))
        for each in result.topic_partitions:
            if each.error is not None:
                raise KafkaException(each.error)


def spelled(state):
    """PREPARING_REBALANCING as Kafka spells it."""
    return {"PREPARING_REBALANCING": "PreparingRebalance", "COMPLETING_REBALANCING": "CompletingRebalance"}.get(
        state, state.capitalize()
    )
