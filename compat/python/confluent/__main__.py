"""The hand of confluent-kafka, which is librdkafka in Python."""

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


bootstrap = sys.argv[1]
consumers = Consumers(bootstrap)
producers = Producers(bootstrap, consumers)
shares = Shares(bootstrap)
try:
    serve(
        "confluent-kafka",
        f"{version()} (librdkafka {libversion()[0]})",
        CANNOT,
        table(Admin(bootstrap), producers, consumers, shares),
        naming,
    )
finally:
    for part in (consumers, shares):
        part._close_all()
