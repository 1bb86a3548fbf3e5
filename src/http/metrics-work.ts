// What /metrics says of work: how long requests took and what waits, flushes, openings of logs, compaction, what became of
// branches' commands. Whoever does the work counts; here it is only read.

import { workOn } from '../log/log-work.ts'
import type { Durations } from '../storage/durations.ts'
import { held } from '../storage/memory-map.ts'
import type { Exposition, Family } from './metrics-text.ts'
import type { Rooms, Traffic } from './rooms.ts'

const gauge = (name: string, doc: string): Family => ({ name, kind: 'gauge', doc })
const counter = (name: string, doc: string): Family => ({ name, kind: 'counter', doc })
const histogram = (name: string, doc: string): Family => ({ name, kind: 'histogram', doc })

export const workFamilies = {
  requests: counter('kafka_network_requestmetrics_requests_total', 'Requests of Kafka clients, by API.'),
  requestTime: gauge(
    'kafka_network_requestmetrics_totaltimems',
    'How long requests took, ms, by API and quantile, since the start: from the last byte to the answer that is ready.',
  ),
  requestTimeCount: counter('kafka_network_requestmetrics_totaltimems_count', 'How many of them were answered.'),
  requestSeconds: histogram(
    'twiglog_request_seconds',
    'The same as a histogram. What a fetch or a member of a group waits because it asked to is in it.',
  ),
  slow: counter('twiglog_slow_requests_total', 'Requests that were told for their slowness (slow.request.log.ms).'),
  requestQueue: gauge('kafka_network_requestchannel_requestqueuesize', 'Requests that are not answered yet.'),
  answerQueue: gauge(
    'kafka_network_requestchannel_responsequeuesize',
    'Answers that are ready and stand behind one that is not.',
  ),
  requestBytes: gauge('twiglog_request_queue_bytes', 'Bytes of requests that are not whole, or not answered.'),
  answerBytes: gauge('twiglog_response_queue_bytes', 'Bytes of answers that their clients have not taken.'),
  unread: gauge(
    'twiglog_connections_unread',
    'Connections that are not read from until others leave room (queued.max.request.bytes).',
  ),
  leases: gauge('twiglog_map_leases', 'Leases on mapped files: answers on their way, and reads under way.'),
  maps: gauge('twiglog_maps', 'Mapped files that are held, of all brokers of the process.'),
  flushTime: gauge('kafka_log_logflushstats_logflushrateandtimems', 'How long flushes of logs took, ms, by quantile.'),
  flushCount: counter('kafka_log_logflushstats_logflushrateandtimems_count', 'Flushes of logs.'),
  flushSeconds: histogram('twiglog_log_flush_seconds', 'How long flushes of logs took.'),
  start: gauge('twiglog_start_seconds', 'How long the start took, until clients were served.'),
  openSeconds: histogram(
    'twiglog_log_open_seconds',
    'How long it took to open logs, recovery included; each is opened when somebody uses it.',
  ),
  scanned: counter('twiglog_log_recovered_bytes_total', 'Bytes that were scanned to recover logs.'),
  cut: counter('twiglog_log_cut_bytes_total', 'Bytes of torn tails that were cut off.'),
  compactionSeconds: histogram('twiglog_log_compaction_seconds', 'How long compactions of logs took.'),
  compactedBefore: counter('twiglog_log_compaction_bytes_before_total', 'Bytes of segments that were compacted.'),
  compactedAfter: counter('twiglog_log_compaction_bytes_after_total', 'Bytes of what took their place.'),
  branchResults: counter(
    'twiglog_branch_results_total',
    'Forks, merges and other changes of branches since the start, by type and status.',
  ),
} as const

const quantiles = [0.5, 0.95, 0.99, 0.999]

function tellQuantiles(into: Exposition, family: Family, labels: Record<string, string>, durations: Durations): void {
  for (const quantile of quantiles) into.add(family, { ...labels, quantile }, durations.quantile(quantile))
}

export function tellRequests(into: Exposition, { requests, slowRequests, waiting }: Traffic): void {
  for (const [request, { taken, durations }] of requests) {
    into.add(workFamilies.requests, { request }, taken)
    if (durations.count === 0) continue
    tellQuantiles(into, workFamilies.requestTime, { request }, durations)
    into.add(workFamilies.requestTimeCount, { request }, durations.count)
    into.addDurations(workFamilies.requestSeconds, { request }, durations)
  }
  into.add(workFamilies.slow, {}, slowRequests)
  into.add(workFamilies.requestQueue, {}, waiting.requests)
  into.add(workFamilies.answerQueue, {}, waiting.answers)
  into.add(workFamilies.requestBytes, {}, waiting.requestBytes)
  into.add(workFamilies.answerBytes, {}, waiting.answerBytes)
  into.add(workFamilies.unread, {}, waiting.unreadConnections)
}

export function tellLogs(into: Exposition, { broker, startMs }: Rooms): void {
  const work = workOn(broker.store)
  tellQuantiles(into, workFamilies.flushTime, {}, work.flushes)
  into.add(workFamilies.flushCount, {}, work.flushes.count)
  into.addDurations(workFamilies.flushSeconds, {}, work.flushes)
  into.add(workFamilies.start, {}, (startMs() ?? Number.NaN) / 1000)
  into.addDurations(workFamilies.openSeconds, {}, work.openings)
  into.add(workFamilies.scanned, {}, work.scannedBytes)
  into.add(workFamilies.cut, {}, work.cutBytes)
  into.addDurations(workFamilies.compactionSeconds, {}, work.compactions)
  into.add(workFamilies.compactedBefore, {}, work.compactedBytesBefore)
  into.add(workFamilies.compactedAfter, {}, work.compactedBytesAfter)
  into.add(workFamilies.leases, {}, held.leases)
  into.add(workFamilies.maps, {}, held.maps)
}

export function tellCommands(into: Exposition, { branches }: Rooms): void {
  for (const [what, count] of branches.history.resultCounts) {
    const [type, status] = what.split(' ')
    into.add(workFamilies.branchResults, { type: type!, status: status! }, count)
  }
}
