"""What an administrator asks."""

import re

from kafka import KafkaAdminClient, OffsetAndMetadata, TopicPartition, errors
from kafka.admin import AlterConfigOp, ConfigResource, OffsetSpec
from kafka.consumer.fetcher import IsolationLevel

SPECS = {"start": OffsetSpec.EARLIEST, "end": OffsetSpec.LATEST, "youngest": OffsetSpec.MAX_TIMESTAMP}


def offset_at(admin, topic, partition, at, isolation=None):
    level = IsolationLevel.READ_COMMITTED if isolation == "read_committed" else IsolationLevel.READ_UNCOMMITTED
    place = TopicPartition(topic, partition)
    found = admin.list_partition_offsets({place: SPECS.get(at, at)}, isolation_level=level).get(place)
    return -1 if found is None else found.offset


def checked(outcomes):
    """Of a dict whose values are errors, or words for errors: the first that is one is raised."""
    for outcome in outcomes.values():
        error = getattr(outcome, "errno", 0)
        if error:
            raise outcome() if isinstance(outcome, type) else outcome


def named(words):
    """The error that kafka-python tells only in words: `[Error 40] InvalidConfigurationError`, or just the name."""
    number = re.match(r"\[Error (\d+)\]", words)
    raise errors.for_code(int(number[1]))(words) if number else getattr(errors, words)(words)


class Admin:
    def __init__(self, bootstrap):
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap, metadata_max_age_ms=1_000)

    def createTopic(self, ask):
        topic = {"num_partitions": ask["partitions"], "replication_factor": 1, "configs": ask.get("configs", {})}
        self._admin.create_topics({ask["topic"]: topic})

    def deleteTopic(self, ask):
        self._admin.delete_topics([ask["topic"]])

    def listTopics(self, _):
        return {"topics": list(self._admin.list_topics())}

    def describeTopic(self, ask):
        (topic,) = self._admin.describe_topics([ask["topic"]])
        if topic["error_code"]:
            raise errors.for_code(topic["error_code"])()
        found = [
            {"partition": p["partition_index"], "leader": p["leader_id"], "replicas": p["replica_nodes"]}
            for p in sorted(topic["partitions"], key=lambda p: p["partition_index"])
        ]
        return {"partitions": found}

    def createPartitions(self, ask):
        self._admin.create_partitions({ask["topic"]: ask["count"]})

    def describeConfigs(self, ask):
        asked = ConfigResource(ask["resource"], ask["name"], dict.fromkeys(ask["names"]))
        entries = self._admin.describe_configs([asked], config_filter="all")[ask["resource"]][ask["name"]]
        configs = {
            name: {"value": entry["value"], "source": entry["config_source"], "readOnly": entry["read_only"]}
            for name, entry in entries.items()
        }
        return {"configs": configs}

    def alterConfigs(self, ask):
        changes = {name: (AlterConfigOp.SET, value) for name, value in ask.get("set", {}).items()}
        changes |= {name: (AlterConfigOp.DELETE, None) for name in ask.get("remove", [])}
        self._altered(ask, self._admin.alter_configs([ConfigResource(ask["resource"], ask["name"], changes)]))

    def _altered(self, ask, outcome):
        said = outcome[ask["resource"]][ask["name"]]
        if said != "OK":
            named(str(said))

    def deleteRecords(self, ask):
        self._admin.delete_records({TopicPartition(ask["topic"], ask["partition"]): ask["before"]})

    def offsetAt(self, ask):
        return {"offset": offset_at(self._admin, ask["topic"], ask["partition"], ask["at"], ask.get("isolation"))}

    def describeCluster(self, _):
        cluster = self._admin.describe_cluster()
        brokers = [{"id": b["broker_id"], "host": b["host"], "port": b["port"]} for b in cluster["brokers"]]
        return {"clusterId": cluster["cluster_id"], "controller": cluster["controller_id"], "brokers": brokers}

    def describeLogDirs(self, ask):
        sizes = {}
        for broker in self._admin.describe_log_dirs([ask["topic"]]):
            for folder in broker["log_dirs"]:
                for topic in folder["topics"]:
                    for p in topic["partitions"]:
                        sizes[p["partition_index"]] = sizes.get(p["partition_index"], 0) + p["partition_size"]
        return {"sizes": [{"partition": p, "bytes": sizes[p]} for p in sorted(sizes)]}

    def listGroups(self, ask):
        found = self._admin.list_groups(states_filter=ask.get("states"), types_filter=ask.get("types"))
        groups = [
            {"group": each["group_id"], "state": each.get("group_state"), "type": each.get("group_type")}
            for each in found
        ]
        return {"groups": groups}

    def describeGroup(self, ask):
        group = self._admin.describe_groups([ask["group"]])[ask["group"]]
        members = []
        for member in group["members"]:
            assigned = (member.get("member_assignment") or {}).get("assigned_partitions", [])
            places = [
                {"topic": each["topic"], "partition": partition} for each in assigned for partition in each["partitions"]
            ]
            instance = member.get("group_instance_id")
            members.append({"clientId": member["client_id"], "instance": instance, "assigned": places})
        return {"state": group["group_state"], "protocol": group["protocol_data"], "members": members}

    def deleteGroup(self, ask):
        outcome = self._admin.delete_groups([ask["group"]])[ask["group"]]
        if outcome != "OK":
            named(str(outcome))

    def groupOffsets(self, ask):
        committed = self._admin.list_group_offsets({ask["group"]: None})[ask["group"]]
        offsets = [
            {"partition": place.partition, "offset": held.offset, "metadata": held.metadata}
            for place, held in committed.items()
            if place.topic == ask["topic"] and held.offset >= 0
        ]
        return {"offsets": offsets}

    def setGroupOffsets(self, ask):
        checked(self._admin.alter_group_offsets(ask["group"], offsets_of(ask)))

    def deleteGroupOffsets(self, ask):
        places = [TopicPartition(ask["topic"], partition) for partition in ask["partitions"]]
        checked(self._admin.delete_group_offsets(ask["group"], places))

    def describeProducers(self, ask):
        place = TopicPartition(ask["topic"], ask["partition"])
        producers = [
            {
                "producerId": each.producer_id,
                "epoch": each.producer_epoch,
                "lastSequence": each.last_sequence,
                "openSince": -1
                if each.current_transaction_start_offset is None
                else each.current_transaction_start_offset,
            }
            for each in self._admin.describe_producers([place])[place].active_producers
        ]
        return {"producers": producers}

    def listTransactions(self, _):
        transactions = [
            {"transactionalId": each.transactional_id, "state": each.state.value}
            for of_broker in self._admin.list_transactions().values()
            for each in of_broker
        ]
        return {"transactions": transactions}

    def describeTransaction(self, ask):
        found = self._admin.describe_transactions([ask["transactionalId"]])[ask["transactionalId"]]
        return {
            "state": found.state.value,
            "producerId": found.producer_id,
            "epoch": found.producer_epoch,
            "partitions": [{"topic": p.topic, "partition": p.partition} for p in sorted(found.topic_partitions)],
        }


def offsets_of(ask):
    return {
        TopicPartition(each["topic"], each["partition"]): OffsetAndMetadata(
            each["offset"], each.get("metadata", ""), -1
        )
        for each in ask["offsets"]
    }
