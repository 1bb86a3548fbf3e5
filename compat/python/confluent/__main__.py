"""The hand of confluent-kafka, which is librdkafka in Python."""

import os
import sys

from confluent_kafka import KafkaException, libversion, version

from confluent.admin import Admin
from confluent.consumers import Consumers
from confluent.producers import Producers
from confluent.shares import Shares
from hand import Refused, serve, table

CANNOT = {
    "describeLogDirs": "librdkafka does not ask for log directories",
    "describeProducers": "librdkafka does not describe producers",
    "listTransactions": "librdkafka does not list transactions",
    "describeTransaction": "librdkafka does not describe transactions",
    "setQuotas": "librdkafka does not set quotas",
    "describeQuotas": "librdkafka does not describe quotas",
    "deleteGroupOffsets": "confluent-kafka has no call for librdkafka's DeleteConsumerGroupOffsets",
    "joinGroup.assignor=sticky": "librdkafka's only sticky assignor is the cooperative one",
}


def naming(problem):
    error = problem.args[0] if isinstance(problem, KafkaException) else None
    return Refused(error.code() if error is not None and error.code() > 0 else "CLIENT", str(problem))


client_id = os.environ.get("COMPAT_CLIENT_ID", "compat-confluent-kafka")
place = {"bootstrap.servers": sys.argv[1], "client.id": client_id}
consumers = Consumers(place)
producers = Producers(place, consumers)
shares = Shares(place)
try:
    serve(
        "confluent-kafka",
        f"{version()} (librdkafka {libversion()[0]})",
        CANNOT,
        table(Admin(place), producers, consumers, shares),
        naming,
        client_id,
    )
finally:
    for part in (consumers, shares):
        part._close_all()
