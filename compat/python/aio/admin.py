"""What an administrator asks."""

from aiokafka import AIOKafkaConsumer, TopicPartition, errors
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

SOURCES = {1: "DYNAMIC_TOPIC_CONFIG", 2: "DYNAMIC_BROKER_CONFIG", 3: "DYNAMIC_DEFAULT_BROKER_CONFIG",
           4: "STATIC_BROKER_CONFIG", 5: "DEFAULT_CONFIG", 8: "GROUP_CONFIG"}  # fmt: skip


def checked(answer):
    """Raises the first error code that the answer holds, however deep."""
    body = answer.to_object() if hasattr(answer, "to_object") else answer
    if isinstance(body, dict):
        if body.get("error_code", 0) > 0:
            raise errors.for_code(body["error_code"])(body.get("error_message") or "")
        body = list(body.values())
    if isinstance(body, list):
        for part in body:
            checked(part)
    return answer


async def offset_at(consumer, topic, partition, at):
    place = TopicPartition(topic, partition)
    if at == "start":
        return (await consumer.beginning_offsets([place]))[place]
    if at == "end":
        return (await consumer.end_offsets([place]))[place]
    found = (await consumer.offsets_for_times({place: at}))[place]
    return -1 if found is None else found.offset


class Admin:
    def __init__(self, loop, bootstrap):
        self._loop = loop
        self._admin = loop.call(AIOKafkaAdminClient, bootstrap_servers=bootstrap, metadata_max_age_ms=1_000)
        loop.wait(self._admin.start())
        self._reader = loop.call(AIOKafkaConsumer, bootstrap_servers=bootstrap, metadata_max_age_ms=1_000)
        loop.wait(self._reader.start())

    def createTopic(self, ask):
        topic = NewTopic(ask["topic"], ask["partitions"], 1, topic_configs=ask.get("configs", {}))
        checked(self._loop.wait(self._admin.create_topics([topic])))

    def deleteTopic(self, ask):
        checked(self._loop.wait(self._admin.delete_topics([ask["topic"]])))

    def listTopics(self, _):
        return {"topics": list(self._loop.wait(self._admin.list_topics()))}

    def describeTopic(self, ask):
        (topic,) = checked(self._loop.wait(self._admin.describe_topics([ask["topic"]])))
        found = [
            {"partition": p["partition"], "leader": p["leader"], "replicas": p["replicas"]}
            for p in sorted(topic["partitions"], key=lambda p: p["partition"])
        ]
        return {"partitions": found}

    def createPartitions(self, ask):
        checked(self._loop.wait(self._admin.create_partitions({ask["topic"]: NewPartitions(ask["count"])})))

    def describeConfigs(self, ask):
        asked = ConfigResource(ask["resource"], ask["name"], dict.fromkeys(ask["names"]))
        configs = {}
        for answer in self._loop.wait(self._admin.describe_configs([asked])):
            for described in checked(answer).to_object()["resources"]:
                for entry in described["config_entries"]:
                    configs[entry["config_names"]] = {
                        "value": entry["config_value"],
                        "source": SOURCES.get(entry.get("config_source")),
                        "readOnly": entry["read_only"],
                    }
        return {"configs": configs}

    def replaceConfigs(self, ask):
        resource = ConfigResource(ask["resource"], ask["name"], ask["configs"])
        for answer in self._loop.wait(self._admin.alter_configs([resource])):
            checked(answer)

    def deleteRecords(self, ask):
        place = TopicPartition(ask["topic"], ask["partition"])
        self._loop.wait(self._admin.delete_records({place: RecordsToDelete(ask["before"])}))

    def offsetAt(self, ask):
        return {"offset": self._loop.wait(offset_at(self._reader, ask["topic"], ask["partition"], ask["at"]))}

    def describeCluster(self, _):
        cluster = self._loop.wait(self._admin.describe_cluster())
        brokers = [{"id": b["node_id"], "host": b["host"], "port": b["port"]} for b in cluster["brokers"]]
        return {"clusterId": cluster["cluster_id"], "controller": cluster["controller_id"], "brokers": brokers}

    def listGroups(self, _):
        found = self._loop.wait(self._admin.list_consumer_groups())
        return {"groups": [{"group": each[0], "state": None, "type": None} for each in found]}

    def describeGroup(self, ask):
        (answer,) = self._loop.wait(self._admin.describe_consumer_groups([ask["group"]]))
        (group,) = checked(answer).to_object()["groups"]
        members = []
        for member in group["members"]:
            assigned = []
            if member["member_assignment"]:
                for topic, numbers in ConsumerProtocolMemberAssignment.decode(member["member_assignment"]).assignment:
                    assigned += [{"topic": topic, "partition": number} for number in numbers]
            members.append({"clientId": member["client_id"], "instance": None, "assigned": assigned})
        return {"state": group["state"], "protocol": group["protocol"], "members": members}

    def groupOffsets(self, ask):
        committed = self._loop.wait(self._admin.list_consumer_group_offsets(ask["group"]))
        offsets = [
            {"partition": place.partition, "offset": held.offset, "metadata": held.metadata}
            for place, held in committed.items()
            if place.topic == ask["topic"] and held.offset >= 0
        ]
        return {"offsets": offsets}
