// GET /metrics: what is really measured, and nothing that would cost those who produce and consume.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Timer } from '../storage/clock.ts'
import { Exposition, type Family, type Exposition as Into, textType } from './metrics-text.ts'
import { groupFamilies, tellGroups, tellTopics, topicFamilies } from './metrics-topics.ts'
import { tellCommands, tellLogs, tellRequests, workFamilies } from './metrics-work.ts'
import type { Rooms } from './rooms.ts'
import type { Route } from './route.ts'

const gauge = (name: string, doc: string): Family => ({ name, kind: 'gauge', doc })
const counter = (name: string, doc: string): Family => ({ name, kind: 'counter', doc })

const families = {
  brokers: gauge('kafka_brokers', 'Nodes that run.'),
  brokerInfo: gauge('kafka_broker_info', '1 for each node, with its address.'),
  partitionCount: gauge('kafka_server_replicamanager_partitioncount', 'Partitions of all topics.'),
  leaderCount: gauge('kafka_server_replicamanager_leadercount', 'Partitions that have a leader.'),
  underReplicated: gauge(
    'kafka_server_replicamanager_underreplicatedpartitions',
    'Partitions with a replica that is not in sync.',
  ),
  activeController: gauge(
    'kafka_controller_kafkacontroller_activecontrollercount',
    '1: this process is the controller.',
  ),
  offlinePartitions: gauge(
    'kafka_controller_kafkacontroller_offlinepartitionscount',
    'Partitions that nobody leads or that cannot be read.',
  ),
  idle: gauge(
    'kafka_network_socketserver_networkprocessoravgidlepercent',
    'The part of the time, 0 to 1, in which the event loop had nothing to do since the last look.',
  ),
  connections: gauge('twiglog_connections', 'Connections of Kafka clients.'),
  accepted: counter('twiglog_connections_accepted_total', 'Connections of Kafka clients since the start.'),
  bytesIn: counter('twiglog_network_bytes_in_total', 'Bytes that Kafka clients have sent.'),
  bytesOut: counter('twiglog_network_bytes_out_total', 'Bytes that Kafka clients were sent.'),
  httpRequests: counter('twiglog_http_requests_total', 'Requests by HTTP, by route and status.'),
  branches: gauge('twiglog_branches', 'Topics that are branches.'),
  sets: gauge('twiglog_branch_sets', 'Branch sets.'),
  packs: counter('twiglog_revision_packs_total', 'Packs that were made of the segments of revision topics.'),
  packFailures: counter('twiglog_revision_pack_failures_total', 'Packs that could not be made; each is tried again.'),
  bytesPacked: counter('twiglog_revision_pack_bytes_before_total', 'Bytes of segments that were packed.'),
  packBytes: counter('twiglog_revision_pack_bytes_after_total', 'Bytes of the packs that took their place.'),
  unfitSegments: gauge(
    'twiglog_revision_unfit_segments',
    'Segments that cannot be packed and stay as they came until the next start: damaged, or too large when unpacked.',
  ),
  packLag: gauge('twiglog_revision_pack_lag_seconds', 'How long the oldest closed segment waits beyond its time.'),
  views: gauge('twiglog_views', 'Topics that are views.'),
  loopDelay: gauge('twiglog_event_loop_delay_seconds', 'How late the event loop was since the last look, by quantile.'),
  startTime: gauge('process_start_time_seconds', 'When the process began, s since 1970.'),
  cpu: counter('process_cpu_seconds_total', 'CPU time of the process.'),
  memory: gauge('process_resident_memory_bytes', 'Memory of the process, mapped files included.'),
  heap: gauge('nodejs_heap_size_used_bytes', 'Memory of JavaScript values.'),
  heapPages: gauge('nodejs_heap_size_total_bytes', 'Memory that is kept for JavaScript values.'),
  external: gauge('nodejs_external_memory_bytes', 'Memory of buffers.'),
  version: gauge('twiglog_info', '1, with the version.'),
} as const

/** Every family that may be told of. */
export const allFamilies: readonly Family[] = [
  ...Object.values(families),
  ...Object.values(workFamilies),
  ...Object.values(topicFamilies),
  ...Object.values(groupFamilies),
]

// From the first look on: who never looks does not pay for it.
const resolutionMs = 10
const loopDelay = monitorEventLoopDelay({ resolution: resolutionMs })
/** Who looks no more is not measured for. */
const quietMs = 300_000
let quiet: Timer | undefined
let utilization = performance.eventLoopUtilization()

type Answers = Map<string, { route: Route; status: number; count: number }>
/** By broker: a process may have several. */
const answersOf = new WeakMap<Rooms, Answers>()

/** A request by HTTP was answered. */
export function noteAnswer(rooms: Rooms, route: Route, status: number): void {
  const answers: Answers = answersOf.get(rooms) ?? new Map()
  answersOf.set(rooms, answers)
  const key = `${route.id} ${status}`
  const known = answers.get(key) ?? { route, status, count: 0 }
  answers.set(key, known)
  known.count++
}

function tellCluster(into: Into, { broker, listener }: Rooms): void {
  const partitions = broker.topics().flatMap((topic) => topic.partitions)
  const count = (is: (of: (typeof partitions)[number]) => boolean) => partitions.filter(is).length
  into.add(families.brokers, {}, broker.placement.running.length)
  for (const { nodeId, host, port } of broker.nodes(listener))
    into.add(families.brokerInfo, { id: nodeId, address: `${host}:${port}` }, 1)
  into.add(families.partitionCount, {}, partitions.length)
  into.add(
    families.leaderCount,
    {},
    count(({ leader }) => leader >= 0),
  )
  into.add(
    families.underReplicated,
    {},
    count(({ leadership: { isr, replicas } }) => isr.length < replicas.length),
  )
  into.add(families.activeController, {}, 1)
  into.add(
    families.offlinePartitions,
    {},
    count(({ leader, offline }) => leader < 0 || offline !== undefined),
  )
  into.add(families.branches, {}, broker.lineage.branches.size)
  into.add(families.sets, {}, broker.lineage.sets.size)
}

function tellRevisions(into: Into, { broker }: Rooms): void {
  const { packing } = broker.housekeeping
  const { packs, failures, bytesBefore, bytesAfter, unfit } = packing.counts
  into.add(families.packs, {}, packs)
  into.add(families.packFailures, {}, failures)
  into.add(families.bytesPacked, {}, bytesBefore)
  into.add(families.packBytes, {}, bytesAfter)
  into.add(families.unfitSegments, {}, unfit)
  into.add(families.packLag, {}, packing.lagMs / 1000)
  into.add(families.views, {}, [...broker.views].length)
}

function tellTraffic(into: Into, rooms: Rooms): void {
  const traffic = rooms.traffic()
  const { connections, connectionsAccepted, bytesIn, bytesOut } = traffic
  tellRequests(into, traffic)
  into.add(families.connections, {}, connections)
  into.add(families.accepted, {}, connectionsAccepted)
  into.add(families.bytesIn, {}, bytesIn)
  into.add(families.bytesOut, {}, bytesOut)
  for (const { route, status, count } of answersOf.get(rooms)?.values() ?? [])
    into.add(families.httpRequests, { method: route.method.toUpperCase(), route: route.path, status }, count)
}

const quantiles = [0.5, 0.99, 1]
const nanoseconds = 1e9

function tellProcess(into: Into, { version, broker }: Rooms): void {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  into.add(families.startTime, {}, performance.timeOrigin / 1000)
  into.add(families.cpu, {}, (user + system) / 1e6)
  into.add(families.memory, {}, rss)
  into.add(families.heap, {}, heapUsed)
  into.add(families.heapPages, {}, heapTotal)
  into.add(families.external, {}, external)
  into.add(families.version, { version: version() }, 1)
  const now = performance.eventLoopUtilization()
  into.add(families.idle, {}, 1 - performance.eventLoopUtilization(now, utilization).utilization)
  utilization = now
  loopDelay.enable()
  if (loopDelay.count > 0)
    for (const quantile of quantiles) {
      // What is measured is from one look of the timer to the next, and that is to be its resolution.
      const seconds = loopDelay.percentile(quantile * 100) / nanoseconds - resolutionMs / 1000
      into.add(families.loopDelay, { quantile }, Math.max(0, seconds))
    }
  loopDelay.reset()
  quiet?.cancel()
  quiet = broker.clock.after(quietMs, () => loopDelay.disable())
}

export const metricsRoute: Route = {
  method: 'get',
  path: '/metrics',
  id: 'metrics',
  summary: 'Metrics in the text form of Prometheus.',
  answers: { 200: { description: 'Families, each with its sentence.', mediaType: textType } },
  async handle({ rooms }) {
    const into = new Exposition()
    tellCluster(into, rooms)
    tellRevisions(into, rooms)
    tellTraffic(into, rooms)
    tellLogs(into, rooms)
    tellCommands(into, rooms)
    await tellGroups(into, rooms, await tellTopics(into, rooms))
    tellProcess(into, rooms)
    return { mediaType: textType, body: into.print() }
  },
}
