"""Producers, with and without transactions."""

import contextlib
import threading
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from hand import headers_of, unpacked

PATIENCE_MS = 45_000


class Producers:
    def __init__(self, place, consumers):
        self._place = place
        self._consumers = consumers
        self._open = {}

    def openProducer(self, ask):
        config = {
            **self._place,
            "reconnect.backoff.max.ms": 1_000,
            "acks": ask.get("acks", "all"),
            "compression.type": ask.get("codec", "none"),
            "enable.idempotence": ask.get("idempotent", False) or "transactionalId" in ask,
            "message.timeout.ms": PATIENCE_MS,
            "message.max.bytes": 1_048_588,  # what a broker takes by default; librdkafka's own is a little less
            "linger.ms": 5,
            "topic.metadata.refresh.interval.ms": 2_000,
        }
        if "batchBytes" in ask:
            config["batch.size"] = ask["batchBytes"]
        if "transactionalId" in ask:
            timeout = ask.get("transactionTimeoutMs", 60_000)
            config.update(
                {
                    "transactional.id": ask["transactionalId"],
                    "transaction.timeout.ms": timeout,
                    "message.timeout.ms": min(timeout, PATIENCE_MS),
                    "socket.timeout.ms": max(1_000, min(timeout - 100, 60_000)),
                }
            )
        producer = Producer(config)
        if "transactionalId" in ask:
            producer.init_transactions(PATIENCE_MS / 1000)
        self._open[ask["producer"]] = (producer, ask.get("acks", "all"))

    def produce(self, ask):
        producer, acks = self._open[ask["producer"]]
        count = len(ask["records"])
        offsets, failures, left = [None] * count, [], [count]
        done = threading.Lock()

        def delivered(index):
            def tell(error, message):
                with done:
                    left[0] -= 1
                if error is not None:
                    failures.append(error)
                else:
                    offsets[index] = message.offset()

            return tell

        for index, record in enumerate(ask["records"]):
            where = {name: record[name] for name in ("partition", "timestamp") if name in record}
            producer.produce(
                ask["topic"],
                value=unpacked(record["value"]),
                key=unpacked(record["key"]),
                headers=headers_of(record),
                on_delivery=delivered(index),
                **where,
            )
            producer.poll(0)
        give_up_at = time.monotonic() + PATIENCE_MS / 1000 + 2
        while left[0] > 0 and time.monotonic() < give_up_at:
            producer.poll(0.05)
        if failures:
            raise KafkaException(failures[0])
        if left[0] > 0:
            raise TimeoutError(f"{left[0]} records were neither acknowledged nor refused")
        return {"offsets": None if acks == 0 else offsets}

    def beginTransaction(self, ask):
        self._open[ask["producer"]][0].begin_transaction()

    def sendOffsets(self, ask):
        offsets = [
            TopicPartition(each["topic"], each["partition"], each["offset"], each.get("metadata", ""))
            for each in ask["offsets"]
        ]
        producer = self._open[ask["producer"]][0]
        if "consumer" in ask:
            metadata = self._consumers._metadata(ask["consumer"])
            return producer.send_offsets_to_transaction(offsets, metadata, PATIENCE_MS / 1000)
        nobody = Consumer({**self._place, "group.id": ask["group"]})  # never joins
        try:
            producer.send_offsets_to_transaction(offsets, nobody.consumer_group_metadata(), PATIENCE_MS / 1000)
        finally:
            nobody.close()

    def commitTransaction(self, ask):
        self._open[ask["producer"]][0].commit_transaction(PATIENCE_MS / 1000)

    def abortTransaction(self, ask):
        self._open[ask["producer"]][0].abort_transaction(PATIENCE_MS / 1000)

    def closeProducer(self, ask):
        held = self._open.pop(ask["producer"], None)
        if held is not None:
            held[0].purge()
            with contextlib.suppress(KafkaException):  # a fenced producer complains about its last transaction
                held[0].close(0.5)
