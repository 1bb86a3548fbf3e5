"""Producers and consumers, as members of a group or alone."""

import contextlib

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.structs import OffsetAndMetadata

from aio.admin import offset_at
from hand import Cannot, headers_of, partitions, read, unpacked

ASSIGNORS = {
    "range": RangePartitionAssignor,
    "roundrobin": RoundRobinPartitionAssignor,
    "sticky": StickyPartitionAssignor,
}


def offsets_of(ask):
    return {
        TopicPartition(each["topic"], each["partition"]): OffsetAndMetadata(each["offset"], each.get("metadata", ""))
        for each in ask["offsets"]
    }


class Producers:
    def __init__(self, loop, bootstrap):
        self._loop = loop
        self._bootstrap = bootstrap
        self._open = {}

    def openProducer(self, ask):
        config = {
            "bootstrap_servers": self._bootstrap,
            "acks": ask.get("acks", "all"),
            "compression_type": None if ask.get("codec", "none") == "none" else ask["codec"],
            "enable_idempotence": ask.get("idempotent", False) or "transactionalId" in ask,
            "request_timeout_ms": 45_000,
            "linger_ms": 5,
            "max_request_size": 2_000_000,
        }
        if "batchBytes" in ask:
            config["max_batch_size"] = ask["batchBytes"]
        if "transactionalId" in ask:
            config["transactional_id"] = ask["transactionalId"]
            config["transaction_timeout_ms"] = ask.get("transactionTimeoutMs", 60_000)
        producer = self._loop.call(AIOKafkaProducer, **config)
        self._loop.wait(producer.start())
        self._open[ask["producer"]] = (producer, ask.get("acks", "all"))

    def produce(self, ask):
        if any(held is None for record in ask["records"] for _, held in record["headers"]):
            raise Cannot("aiokafka sends no header without a value")
        producer, acks = self._open[ask["producer"]]
        offsets = self._loop.wait(self._send(producer, ask))
        return {"offsets": None if acks == 0 else offsets}

    async def _send(self, producer, ask):
        sent = [
            await producer.send(
                ask["topic"],
                value=unpacked(record["value"]),
                key=unpacked(record["key"]),
                headers=headers_of(record),
                partition=record.get("partition"),
                timestamp_ms=record.get("timestamp"),
            )
            for record in ask["records"]
        ]
        return [getattr(await each, "offset", None) for each in sent]

    def beginTransaction(self, ask):
        self._loop.wait(self._open[ask["producer"]][0].begin_transaction())

    def sendOffsets(self, ask):
        producer = self._open[ask["producer"]][0]
        self._loop.wait(producer.send_offsets_to_transaction(offsets_of(ask), ask["group"]))

    def commitTransaction(self, ask):
        self._loop.wait(self._open[ask["producer"]][0].commit_transaction())

    def abortTransaction(self, ask):
        self._loop.wait(self._open[ask["producer"]][0].abort_transaction())

    def closeProducer(self, ask):
        held = self._open.pop(ask["producer"], None)
        if held is not None:
            with contextlib.suppress(Exception):  # a fenced producer complains about its last transaction
                self._loop.wait(held[0].stop(), 2)


class Consumers:
    def __init__(self, loop, bootstrap):
        self._loop = loop
        self._bootstrap = bootstrap
        self._open = {}
        self._behind = {}
        self._joining = {}

    def _start(self, ask, **more):
        config = {
            "bootstrap_servers": self._bootstrap,
            "enable_auto_commit": False,
            "isolation_level": ask.get("isolation", "read_uncommitted"),
            "fetch_max_wait_ms": 100,
            # Each look at a topic that is gone makes it again; a pattern needs looks.
            "metadata_max_age_ms": 1_000 if "pattern" in ask else 60_000,
            "retry_backoff_ms": 50,
            **more,
        }
        if "fetchBytes" in ask:
            config["fetch_max_bytes"] = ask["fetchBytes"]
            config["max_partition_fetch_bytes"] = ask["fetchBytes"]
        self._open[ask["consumer"]] = self._loop.call(AIOKafkaConsumer, **config)
        self._behind[ask["consumer"]] = {}
        return self._open[ask["consumer"]]

    def openConsumer(self, ask):
        place = TopicPartition(ask["topic"], ask["partition"])
        consumer = self._start(ask, group_id=None, auto_offset_reset="earliest")

        async def settle():
            await consumer.start()
            consumer.assign([place])
            start = ask["from"]
            if isinstance(start, dict) and "offset" in start:
                at = start["offset"]
            else:
                at = await offset_at(consumer, *place, start["timestamp"] if isinstance(start, dict) else start)
                if at < 0:  # no record is that young: what comes is
                    at = await offset_at(consumer, *place, "end")
            consumer.seek(place, at)

        self._loop.wait(settle())

    def joinGroup(self, ask):
        session = ask.get("sessionTimeoutMs", 30_000)
        more = {
            "group_id": ask["group"],
            "auto_offset_reset": ask.get("reset", "earliest"),
            "session_timeout_ms": session,
            "heartbeat_interval_ms": min(300, session // 3),
            "group_instance_id": ask.get("instance"),
        }
        if "assignor" in ask:
            more["partition_assignment_strategy"] = [ASSIGNORS[ask["assignor"]]]
        consumer = self._start(ask, **more)

        async def join():
            if "pattern" in ask:
                consumer.subscribe(pattern="^" + ask["pattern"])
            else:
                consumer.subscribe(ask["topics"])
            await consumer.start()

        # It waits for the first assignment, which may need other members to be polled.
        self._joining[ask["consumer"]] = self._loop.begin(join())

    def poll(self, ask):
        consumer, behind = self._open[ask["consumer"]], self._behind[ask["consumer"]]
        if ask["consumer"] in self._joining:
            try:
                self._joining[ask["consumer"]].result(ask["ms"] / 1000)
            except TimeoutError:
                return {"records": [], "assigned": []}
            del self._joining[ask["consumer"]]
        records = []
        for place, came in self._loop.wait(consumer.getmany(timeout_ms=ask["ms"])).items():
            behind[place] = came[-1].offset + 1
            records += [read(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, r.headers) for r in came]
        owned = [(each.topic, each.partition) for each in self._loop.call(consumer.assignment)]
        return {"records": records, "assigned": partitions(owned)}

    def commitOffsets(self, ask):
        consumer = self._open[ask["consumer"]]
        if "offsets" in ask:
            offsets = offsets_of(ask)
        else:
            owned = self._loop.call(consumer.assignment)
            behind = self._behind[ask["consumer"]]
            offsets = {place: OffsetAndMetadata(at, "") for place, at in behind.items() if place in owned}
        if offsets:
            self._loop.wait(consumer.commit(offsets))

    def pause(self, ask):
        places = [TopicPartition(p["topic"], p["partition"]) for p in ask["partitions"]]
        self._loop.call(self._open[ask["consumer"]].pause, *places)

    def resume(self, ask):
        places = [TopicPartition(p["topic"], p["partition"]) for p in ask["partitions"]]
        self._loop.call(self._open[ask["consumer"]].resume, *places)

    def seek(self, ask):
        place = TopicPartition(ask["topic"], ask["partition"])
        self._loop.call(self._open[ask["consumer"]].seek, place, ask["offset"])

    def closeConsumer(self, ask):
        consumer = self._open.pop(ask["consumer"], None)
        if consumer is not None:
            self._loop.wait(consumer.stop())

    def _close_all(self):
        for consumer in self._open.values():
            with contextlib.suppress(Exception):
                self._loop.wait(consumer.stop(), 2)
