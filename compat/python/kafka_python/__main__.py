"""The hand of kafka-python."""

import sys

import kafka

from hand import Refused, serve, table
from kafka_python.admin import Admin
from kafka_python.clients import Consumers, Producers

NO_SHARE = "kafka-python has no share consumer"
CANNOT = {
    "joinGroup.protocol=consumer": "kafka-python has no consumer for KIP-848 groups",
    "describeGroup.type=consumer": "kafka-python describes classic groups only",
    "describeGroup.type=share": "kafka-python describes classic groups only",
    "group.cooperative": "kafka-python 3.0.12 now and then forgets what a cooperative member was assigned",
    "replaceConfigs": "kafka-python's AlterConfigs keeps what was set before",
    "produce.nullRecord": "kafka-python sends no record without both key and value",
    "setQuotas": "kafka-python does not set quotas",
    "describeQuotas": "kafka-python does not describe quotas",
    "joinShare": NO_SHARE,
    "pollShare": NO_SHARE,
    "acknowledge": NO_SHARE,
    "closeShare": NO_SHARE,
}


def naming(problem):
    number = getattr(problem, "errno", None)
    return Refused(number if isinstance(number, int) and number > 0 else "CLIENT", str(problem))


bootstrap = sys.argv[1]
consumers = Consumers(bootstrap)
producers = Producers(bootstrap, consumers)
try:
    verbs = table(Admin(bootstrap), producers, consumers)
    serve("kafka-python", kafka.__version__, CANNOT, verbs, naming)
finally:
    consumers._close_all()
