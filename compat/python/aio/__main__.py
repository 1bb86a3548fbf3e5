"""The hand of aiokafka. Its loop runs in a thread of its own, so that members live on between commands."""

import sys

from aiokafka import __version__

from aio.admin import Admin
from aio.clients import Consumers, Producers
from aio.loop import Loop
from hand import Refused, serve, table

NO_SHARE = "aiokafka has no share consumer"
NO_ADMIN = "aiokafka's admin client has no such call"
CANNOT = {
    "joinGroup.protocol=consumer": "aiokafka has no consumer for KIP-848 groups",
    "joinGroup.assignor=cooperative-sticky": "aiokafka has no cooperative assignor",
    "describeGroup.type=consumer": "aiokafka describes classic groups only",
    "describeGroup.type=share": "aiokafka describes classic groups only",
    "alterConfigs": "aiokafka sends AlterConfigs only, which sets back what is not given",
    "produce.nullRecord": "aiokafka sends no record without both key and value",
    "deleteTopic.attached": "aiokafka's consumers make a topic again that was deleted, by asking for it",
    "offsetAt.at=youngest": "aiokafka does not ask for the youngest record",
    "offsetAt.isolation=read_committed": "aiokafka asks for offsets without an isolation level",
    "describeLogDirs": NO_ADMIN,
    "listGroups.states": NO_ADMIN,
    "listGroups.types": NO_ADMIN,
    "deleteGroup": NO_ADMIN,
    "setGroupOffsets": NO_ADMIN,
    "deleteGroupOffsets": NO_ADMIN,
    "describeProducers": NO_ADMIN,
    "listTransactions": NO_ADMIN,
    "describeTransaction": NO_ADMIN,
    "setQuotas": NO_ADMIN,
    "describeQuotas": NO_ADMIN,
    "joinShare": NO_SHARE,
    "pollShare": NO_SHARE,
    "acknowledge": NO_SHARE,
    "closeShare": NO_SHARE,
}


def naming(problem):
    number = getattr(problem, "errno", None)
    return Refused(number if isinstance(number, int) and number > 0 else "CLIENT", str(problem))


bootstrap = sys.argv[1]
loop = Loop()
consumers = Consumers(loop, bootstrap)
try:
    verbs = table(Admin(loop, bootstrap), Producers(loop, bootstrap), consumers)
    serve("aiokafka", __version__, CANNOT, verbs, naming)
finally:
    consumers._close_all()
