"""Producers and consumers. The member's heart beats in a thread; it joins and reads while it is polled."""

import contextlib

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.structs import ConsumerGroupMetadata

from hand import Cannot, headers_of, partitions, read, unpacked
from kafka_python.admin import offset_at, offsets_of

PATIENCE_MS = 45_000
ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
    "cooperative-sticky": CooperativeStickyAssignor,
}


class Producers:
    def __init__(self, bootstrap, consumers):
        self._bootstrap = bootstrap
        self._consumers = consumers
        self._open = {}

    def openProducer(self, ask):
        config = {
            "bootstrap_servers": self._bootstrap,
            "acks": ask.get("acks", "all"),
            "compression_type": None if ask.get("codec", "none") == "none" else ask["codec"],
            "enable_idempotence": ask.get("idempotent", False) or "transactionalId" in ask,
            "delivery_timeout_ms": PATIENCE_MS,
            "request_timeout_ms": 15_000,
            "max_block_ms": PATIENCE_MS,
            "retry_backoff_ms": 50,
            "linger_ms": 5,
            "metadata_max_age_ms": 60_000,  # each look at a topic that is gone would make it again
            "max_request_size": 2_000_000,
        }
        if "batchBytes" in ask:
            config["batch_size"] = ask["batchBytes"]
        if "transactionalId" in ask:
            config["transactional_id"] = ask["transactionalId"]
            config["transaction_timeout_ms"] = ask.get("transactionTimeoutMs", 60_000)
        producer = KafkaProducer(**config)
        if "transactionalId" in ask:
            producer.init_transactions()
        self._open[ask["producer"]] = (producer, ask.get("acks", "all"))

    def produce(self, ask):
        producer, acks = self._open[ask["producer"]]
        if any(held is None for record in ask["records"] for _, held in record["headers"]):
            raise Cannot("kafka-python sends no header without a value")
        sent = [
            producer.send(
                ask["topic"],
                value=unpacked(record["value"]),
                key=unpacked(record["key"]),
                headers=headers_of(record),
                partition=record.get("partition"),
                timestamp_ms=record.get("timestamp"),
            )
            for record in ask["records"]
        ]
        offsets = [each.get(timeout=PATIENCE_MS / 1000 + 2).offset for each in sent]
        return {"offsets": None if acks == 0 else offsets}

    def beginTransaction(self, ask):
        self._open[ask["producer"]][0].begin_transaction()

    def sendOffsets(self, ask):
        metadata = ConsumerGroupMetadata(ask["group"], -1, "", None)
        if "consumer" in ask:
            metadata = self._consumers._open[ask["consumer"]].group_metadata()
        self._open[ask["producer"]][0].send_offsets_to_transaction(offsets_of(ask), metadata)

    def commitTransaction(self, ask):
        self._open[ask["producer"]][0].commit_transaction()

    def abortTransaction(self, ask):
        self._open[ask["producer"]][0].abort_transaction()

    def closeProducer(self, ask):
        held = self._open.pop(ask["producer"], None)
        if held is not None:
            with contextlib.suppress(Exception):  # a fenced producer complains about its last transaction
                held[0].close(timeout=0.5)


class Consumers:
    def __init__(self, bootstrap):
        self._bootstrap = bootstrap
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap, metadata_max_age_ms=1_000)
        self._open = {}
        self._behind = {}

    def _config(self, ask):
        config = {
            "bootstrap_servers": self._bootstrap,
            "enable_auto_commit": False,
            "isolation_level": ask.get("isolation", "read_uncommitted"),
            "fetch_max_wait_ms": 100,
            "metadata_max_age_ms": 1_000,
            "allow_auto_create_topics": False,
            "max_poll_records": 1_000_000,
            "retry_backoff_ms": 50,
        }
        if "fetchBytes" in ask:
            config["fetch_max_bytes"] = ask["fetchBytes"]
            config["max_partition_fetch_bytes"] = ask["fetchBytes"]
        return config

    def _keep(self, ask, consumer):
        self._open[ask["consumer"]] = consumer
        self._behind[ask["consumer"]] = {}

    def openConsumer(self, ask):
        topic, partition, place = ask["topic"], ask["partition"], ask["from"]
        isolation = ask.get("isolation")
        if isinstance(place, dict) and "offset" in place:
            at = place["offset"]
        else:
            at = offset_at(
                self._admin, topic, partition, place["timestamp"] if isinstance(place, dict) else place, isolation
            )
            if at < 0:  # no record is that young: what comes is
                at = offset_at(self._admin, topic, partition, "end", isolation)
        consumer = KafkaConsumer(**self._config(ask), group_id=None, auto_offset_reset="earliest")
        consumer.assign([TopicPartition(topic, partition)])
        consumer.seek(TopicPartition(topic, partition), at)
        self._keep(ask, consumer)

    def joinGroup(self, ask):
        session = ask.get("sessionTimeoutMs", 30_000)
        config = {
            **self._config(ask),
            "group_id": ask["group"],
            "auto_offset_reset": ask.get("reset", "earliest"),
            "session_timeout_ms": session,
            "heartbeat_interval_ms": min(300, session // 3),
        }
        if "assignor" in ask:
            config["partition_assignment_strategy"] = [ASSIGNORS[ask["assignor"]]]
        if "instance" in ask:
            config["group_instance_id"] = ask["instance"]
        consumer = KafkaConsumer(**config)
        if "pattern" in ask:
            consumer.subscribe(pattern="^" + ask["pattern"])
        else:
            consumer.subscribe(ask["topics"])
        self._keep(ask, consumer)

    def poll(self, ask):
        consumer, behind = self._open[ask["consumer"]], self._behind[ask["consumer"]]
        records = []
        # A poll that ends in the middle of joining can leave a member behind that does not know its assignment.
        ms = ask["ms"] if consumer.assignment() else max(ask["ms"], 1_000)
        for place, came in consumer.poll(timeout_ms=ms).items():
            behind[place] = came[-1].offset + 1
            records += [
                read(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers) for r in came
            ]
        owned = [(each.topic, each.partition) for each in consumer.assignment()]
        return {"records": records, "assigned": partitions(owned)}

    def commitOffsets(self, ask):
        consumer = self._open[ask["consumer"]]
        if "offsets" in ask:
            offsets = offsets_of(ask)
        else:
            owned = consumer.assignment()
            behind = self._behind[ask["consumer"]]
            offsets = {place: OffsetAndMetadata(at, "", -1) for place, at in behind.items() if place in owned}
        if offsets:
            consumer.commit(offsets)

    def pause(self, ask):
        self._open[ask["consumer"]].pause(*[TopicPartition(p["topic"], p["partition"]) for p in ask["partitions"]])

    def resume(self, ask):
        self._open[ask["consumer"]].resume(*[TopicPartition(p["topic"], p["partition"]) for p in ask["partitions"]])

    def seek(self, ask):
        self._open[ask["consumer"]].seek(TopicPartition(ask["topic"], ask["partition"]), ask["offset"])

    def closeConsumer(self, ask):
        consumer = self._open.pop(ask["consumer"], None)
        if consumer is not None:
            consumer.close(autocommit=False)

    def _close_all(self):
        for consumer in self._open.values():
            consumer.close(autocommit=False, timeout_ms=1_000)
