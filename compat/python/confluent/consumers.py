"""Consumers: one partition without a group, or a member of one. librdkafka keeps the member alive by itself."""

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from confluent.admin import offset_at
from hand import partitions, read

# What says that the broker is not there now, or that a topic is not there yet: librdkafka goes on by itself.
PASSING = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_TOPIC_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}
MANY = 1_000_000


def grave(error):
    """What librdkafka will not overcome. _FATAL hides the broker's number."""
    return error.fatal() or error.code() == KafkaError._FATAL or (error.code() > 0 and error.code() not in PASSING)


class Consumers:
    def __init__(self, place):
        self._place = place
        self._admin = AdminClient({**place})
        self._open = {}
        self._behind = {}

    def _config(self, ask, group):
        config = {
            **self._place,
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "isolation.level": ask.get("isolation", "read_uncommitted"),
            "fetch.wait.max.ms": 100,
            "fetch.queue.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1_000,
            "topic.metadata.refresh.interval.ms": 1_000,
        }
        if "fetchBytes" in ask:
            config["fetch.max.bytes"] = max(ask["fetchBytes"], 1_000)
            config["max.partition.fetch.bytes"] = ask["fetchBytes"]
            config["message.max.bytes"] = min(max(ask["fetchBytes"], 1_000), 1_000_000_000)
            config["receive.message.max.bytes"] = min(ask["fetchBytes"] + 100_000_000, 2_147_483_647)
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
        consumer = Consumer({**self._config(ask, "nobody"), "auto.offset.reset": "error"})
        consumer.assign([TopicPartition(topic, partition, at)])
        self._keep(ask, consumer)

    def joinGroup(self, ask):
        config = {**self._config(ask, ask["group"]), "auto.offset.reset": ask.get("reset", "earliest")}
        if ask.get("protocol") == "consumer":
            config["group.protocol"] = "consumer"
            if "assignor" in ask:
                config["group.remote.assignor"] = ask["assignor"]
        else:
            session = ask.get("sessionTimeoutMs", 45_000)
            config["session.timeout.ms"] = session
            config["heartbeat.interval.ms"] = min(1_000, session // 3)
            if "assignor" in ask:
                config["partition.assignment.strategy"] = ask["assignor"]
        if "instance" in ask:
            config["group.instance.id"] = ask["instance"]
        consumer = Consumer(config)
        consumer.subscribe(["^" + ask["pattern"]] if "pattern" in ask else ask["topics"])
        self._keep(ask, consumer)

    def poll(self, ask):
        consumer, behind = self._open[ask["consumer"]], self._behind[ask["consumer"]]
        records = []
        first = consumer.poll(ask["ms"] / 1000)
        for message in [] if first is None else [first, *consumer.consume(MANY, 0)]:
            error = message.error()
            if error is None:
                behind[(message.topic(), message.partition())] = message.offset() + 1
                records.append(told(message))
            elif grave(error):
                raise KafkaException(error)
        owned = [(each.topic, each.partition) for each in consumer.assignment()]
        return {"records": records, "assigned": partitions(owned)}

    def commitOffsets(self, ask):
        consumer = self._open[ask["consumer"]]
        if "offsets" in ask:
            offsets = [
                TopicPartition(each["topic"], each["partition"], each["offset"], each.get("metadata", ""))
                for each in ask["offsets"]
            ]
        else:
            owned = {(each.topic, each.partition) for each in consumer.assignment()}
            offsets = [
                TopicPartition(*place, offset)
                for place, offset in self._behind[ask["consumer"]].items()
                if place in owned
            ]
        for each in consumer.commit(offsets=offsets, asynchronous=False) if offsets else []:
            if each.error is not None:
                raise KafkaException(each.error)

    def pause(self, ask):
        self._open[ask["consumer"]].pause([TopicPartition(p["topic"], p["partition"]) for p in ask["partitions"]])

    def resume(self, ask):
        self._open[ask["consumer"]].resume([TopicPartition(p["topic"], p["partition"]) for p in ask["partitions"]])

    def seek(self, ask):
        self._open[ask["consumer"]].seek(TopicPartition(ask["topic"], ask["partition"], ask["offset"]))

    def closeConsumer(self, ask):
        consumer = self._open.pop(ask["consumer"], None)
        if consumer is not None:
            consumer.close()

    def _metadata(self, consumer):
        return self._open[consumer].consumer_group_metadata()

    def _close_all(self):
        for consumer in self._open.values():
            consumer.close()


def told(message, **more):
    return read(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        message.headers(),
        **more,
    )
