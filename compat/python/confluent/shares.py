"""Share consumers (KIP-932), every record acknowledged by word."""

from confluent_kafka import AcknowledgeType, KafkaException, ShareConsumer

from confluent.consumers import grave, told

WORDS = {"accept": AcknowledgeType.ACCEPT, "release": AcknowledgeType.RELEASE, "reject": AcknowledgeType.REJECT}
ANSWER_SECONDS = 30.0


class Shares:
    def __init__(self, place):
        self._place = place
        self._open = {}

    def joinShare(self, ask):
        consumer = ShareConsumer(
            {
                **self._place,
                "reconnect.backoff.max.ms": 1_000,
                "group.id": ask["group"],
                "share.acknowledgement.mode": "explicit",
            }
        )
        consumer.subscribe(ask["topics"])
        self._open[ask["consumer"]] = consumer

    def pollShare(self, ask):
        records = []
        for message in self._open[ask["consumer"]].poll(ask["ms"] / 1000):
            error = message.error()
            if error is None:
                records.append(told(message, deliveryCount=message.delivery_count()))
            elif grave(error):
                raise KafkaException(error)
        return {"records": records}

    def acknowledge(self, ask):
        consumer = self._open[ask["consumer"]]
        for of in ask["of"]:
            consumer.acknowledge_offset(of["topic"], of["partition"], of["offset"], WORDS[of["as"]])
        for refused in consumer.commit_sync(ANSWER_SECONDS).values():
            if refused is not None:
                raise refused

    def closeShare(self, ask):
        consumer = self._open.pop(ask["consumer"], None)
        if consumer is not None:
            consumer.close()

    def _close_all(self):
        for consumer in self._open.values():
            consumer.close()
