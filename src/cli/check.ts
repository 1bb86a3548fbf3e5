// `twiglog check DIR`: says what is wrong with a data directory. Reads only, so that it can be asked at any time.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Corruption, ProtocolViolation, StorageError } from '../../protocol/errors.ts'
import { isControl } from '../../protocol/records/batch.ts'
import { readRecords } from '../../protocol/records/record.ts'
import { branchesTopic, conflictsTopic } from '../branch/json-topics.ts'
import { applyMetadata, emptyMetadata, type MetadataRecord, type MetadataState } from '../broker/metadata-log.ts'
import { forkedFolder, forwardedFolder, topicFolder } from '../broker/topic-folders.ts'
import { checkLog, type Finding, type LogReport } from '../log/check.ts'
import type { CheckedFiles } from '../log/checked-files.ts'
import { CarriedCounts, countsName } from '../revision/carried-counts.ts'
import { hashKey } from '../revision/key-hash.ts'
import { openPack } from '../revision/open-pack.ts'
import { holderOf } from '../storage/directory-lock.ts'
import type { Store } from '../storage/file.ts'
import { PlainStore } from '../storage/plain-file.ts'
import { ConflictCheck, checkLineage, HistoryCheck } from './check-branches.ts'
import { CommitCheck, missingRecords } from './check-ends.ts'
import { checkRecord, checkState } from './check-facts.ts'

const sound = 0
const failed = 1
const damaged = 6

/** Of what lies in a topic of the broker's own, record by record. */
type Reader = { take(offset: number, key: Buffer | null, value: Buffer | null): void }

type Total = { topics: number; partitions: number; batches: number; records: number; bytes: number }

/** Prints a line for every finding and one for the whole, or by `err` why it cannot; answers the exit code. */
export async function check(
  directory: string,
  { json }: { json: boolean },
  out: (line: string) => void,
  err: (line: string) => void = out,
): Promise<number> {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) return refuse('is no directory')
  if (!existsSync(join(directory, 'metadata'))) return refuse('holds no data of a broker')
  try {
    const { findings, total } = checkStore(new PlainStore(directory))
    const all = [...lockFinding(directory), ...findings]
    for (const finding of all) out(json ? JSON.stringify(finding) : lineOf(finding))
    const damages = all.filter(({ kind }) => kind === 'damage').length
    const summary = { ...total, damages, notes: all.length - damages }
    out(json ? JSON.stringify({ kind: 'summary', ...summary }) : sentenceOf(summary))
    return damages > 0 ? damaged : sound
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause
    return refuse(`cannot be read: ${cause.message}`)
  }

  function refuse(message: string): number {
    if (json) out(JSON.stringify({ kind: 'failed', file: directory, message }))
    else err(`${directory} ${message}.`)
    return failed
  }
}

const lineOf = ({ kind, file, byte, message }: Finding): string =>
  `${kind.padEnd(6)} ${file}${byte === undefined ? '' : ` byte ${byte}`}: ${message}`

function sentenceOf(summary: Total & { damages: number; notes: number }): string {
  const { topics, partitions, batches, records, bytes, damages, notes } = summary
  const verdict = damages === 0 ? 'Sound' : `Damaged in ${damages} ${damages === 1 ? 'place' : 'places'}`
  const of = `${records} records in ${batches} batches, ${bytes} bytes, ${partitions} partitions of ${topics} topics`
  return `${verdict}: ${of}; ${notes} ${notes === 1 ? 'note' : 'notes'}.`
}

function* lockFinding(directory: string): Generator<Finding> {
  const pid = holderOf(directory)
  if (pid === undefined) return
  yield {
    kind: 'note',
    file: 'lock',
    message: `process ${pid} is at work here; what it writes meanwhile may look torn`,
  }
}

/** What is in a data folder, held against itself; of files that were `checked` and have not changed only what they tell others. */
export function checkStore(store: Store, checked?: CheckedFiles): { findings: Finding[]; total: Total } {
  checked?.begin()
  const findings: Finding[] = []
  const total: Total = { topics: 0, partitions: 0, batches: 0, records: 0, bytes: 0 }
  // One after the other: there may be more than a call takes arguments.
  const find = (found: Iterable<Finding>) => {
    for (const finding of found) findings.push(finding)
  }
  const add = (report: LogReport) => {
    find(report.findings)
    total.batches += report.batches
    total.records += report.records
    total.bytes += report.bytes
  }
  const { state, report } = replay(store)
  add(report)
  total.topics = state.topics.size
  find(checkLineage(state))
  find(checkState(state))
  const history = new HistoryCheck(`topics/${idOf(state, branchesTopic) ?? ''}`)
  const conflicts = new ConflictCheck(`topics/${idOf(state, conflictsTopic) ?? ''}`)
  const commits = new CommitCheck(`topics/${idOf(state, '__consumer_offsets') ?? ''}`)
  const readers = new Map<string, Reader>([
    [branchesTopic, history],
    [conflictsTopic, conflicts],
  ])
  // Files that have not changed are not read again for what is a hint only.
  if (checked === undefined) readers.set('__consumer_offsets', commits)
  const ends = new Map<string, number>()
  for (const { id, folder, name, index } of partitionFolders(store, state, findings)) {
    total.partitions++
    const told = readers.get(name)
    const tell = (bytes: Buffer, at: number) => {
      if (isControl(bytes, at)) return
      for (const { offset, key, value } of readRecords(bytes, at)) told!.take(offset, key, value)
    }
    const visit = told && tell
    const report = checkLog(store, folder, visit, state.lineage.inheritedOf(id, index), openPack, checked)
    const found = [...countFindings(store, folder), ...report.findings.filter(({ file }) => !isOfCounts(folder, file))]
    add({ ...report, findings: found.map((finding) => named(finding, `${name}-${index}`)) })
    ends.set(`${id} ${index}`, Math.max(report.logStartOffset, report.logEndOffset))
  }
  // Without a folder, and with nothing that it shares, a branch ends where it was cut.
  const endOf = (id: string, index: number) =>
    ends.get(`${id} ${index}`) ?? state.lineage.inheritedOf(id, index)?.ownFrom ?? 0
  const missing = missingRecords(state, store.boot, commits.traces, endOf)
  if (missing.length > 0) {
    // A broker at work may have deleted the topic since.
    const { topics } = replay(store).state
    find(missing.flatMap(({ topicId, finding }) => (topics.has(topicId) ? finding : [])))
  }
  find(conflicts.findings)
  find(commits.findings)
  find(history.finish(state, !findings.some(({ kind }) => kind === 'damage')))
  // A broker at work may have told of it since the metadata log was read.
  if (history.forgottenBy(state).length > 0) find(history.forgottenBy(replay(store).state))
  for (const name of store.list('')) {
    if (!['metadata', 'topics', 'lock'].includes(name)) findings.push(note(name, 'belongs to nothing here'))
  }
  return { findings, total }
}

const isOfCounts = (folder: string, file: string): boolean => file === `${folder}/${countsName}`

/** The numbers of revisions that are gone: a log does not know this file. */
function* countFindings(store: Store, folder: string): Generator<Finding> {
  const file = `${folder}/${countsName}`
  const bytes = store.load(file)
  if (bytes === undefined) return
  try {
    CarriedCounts.decode(bytes, hashKey, file)
  } catch (cause) {
    if (!(cause instanceof Corruption || cause instanceof ProtocolViolation)) throw cause
    yield { kind: 'damage', file, message: cause.message }
  }
}

const note = (file: string, message: string): Finding => ({ kind: 'note', file, message })

/** Folders are named by ids; people know topics by their names. */
const named = (finding: Finding, name: string): Finding => ({ ...finding, message: `${finding.message} (${name})` })

/** The metadata log, checked as every log is, and what it tells. */
function replay(store: Store): { state: MetadataState; report: LogReport } {
  const state = emptyMetadata()
  const batches: [offset: number, record: MetadataRecord][][] = []
  const findings: Finding[] = []
  const report = checkLog(store, 'metadata', (bytes, at) => {
    const records: [offset: number, record: MetadataRecord][] = []
    for (const { offset, value } of readRecords(bytes, at)) {
      try {
        records.push([offset, JSON.parse(String(value)) as MetadataRecord])
      } catch {
        findings.push({ kind: 'damage', file: 'metadata', message: `the record at offset ${offset} is no JSON` })
      }
    }
    batches.push(records)
  })
  for (const batch of batches) {
    const isRetold = batch.some(([, { type }]) => type === 'cluster')
    for (const [offset, record] of batch) {
      if (offset < report.logStartOffset) continue
      for (const finding of checkRecord(state, record, isRetold)) findings.push(finding)
      applyMetadata(state, record)
    }
  }
  return { state, report: { ...report, findings: [...report.findings, ...findings] } }
}

const idOf = ({ topics }: MetadataState, name: string): string | undefined =>
  [...topics.values()].find((topic) => topic.name === name)?.id

/** Topics without a folder were never written; but a branch may have lost one with what it shares. */
function* partitionFolders(
  store: Store,
  { topics, lineage }: MetadataState,
  findings: Finding[],
): Generator<{ id: string; folder: string; name: string; index: number }> {
  const places = new Map([...topics.keys()].map((id) => [id, topicFolder(id)]))
  for (const entry of store.list('topics')) {
    const place = `topics/${entry}`
    const [id = ''] = entry.split('.')
    if (!topics.has(id)) findings.push(note(place, 'belongs to no topic'))
    else if (place === topicFolder(id)) continue
    else if (place === forkedFolder(id) || place === forwardedOf(id, lineage)) {
      findings.push(note(place, 'takes the place of its topic at the next start'))
      places.set(id, place)
    } else findings.push(note(place, 'was left by a kill; the next start removes it'))
  }
  for (const { id, name, partitions } of topics.values()) {
    const place = places.get(id)!
    const found = new Set<number>()
    for (const entry of store.list(place)) {
      const file = `${place}/${entry}`
      const [, number, , base] = /^(\d+)(\.(\d{20})\.(?:log|pack|index))?$/.exec(entry) ?? []
      const index = Number(number ?? -1)
      const shared = lineage.inheritedOf(id, index)?.files ?? []
      const isOdd = base !== undefined && !shared.some(([segment]) => segment === Number(base))
      if (number === undefined || isOdd) findings.push(note(file, 'belongs to nothing here'))
      else if (index >= partitions) {
        const message = `topic ${name} has ${partitions} partitions, numbered from 0`
        findings.push({ kind: 'damage', file, message })
      } else found.add(index)
    }
    for (let index = 0; index < partitions; index++) {
      if ((lineage.inheritedOf(id, index)?.files.length ?? 0) > 0) found.add(index)
    }
    for (const index of found) yield { id, folder: `${place}/${index}`, name, index }
  }
}

function forwardedOf(id: string, lineage: MetadataState['lineage']): string | undefined {
  const token = lineage.forwardedOf(id)?.folder
  return token === undefined ? undefined : forwardedFolder(id, token)
}
