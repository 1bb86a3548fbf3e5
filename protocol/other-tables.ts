// Tables that are no message: what groups' members tell each other, control records, the aborted-transaction index.

import { array, bool, bytes, int16, int32, int64, string, struct, table, uint16, uuid } from './schema.ts'

export const abortedTxn = table('AbortedTxn', '0', 'none', {
  producerId: int64(),
  firstOffset: int64(),
  lastOffset: int64(),
  lastStableOffset: int64(),
})

export const consumerProtocolAssignment = table('ConsumerProtocolAssignment', '0-3', 'none', {
  assignedPartitions: array({
    topic: string(),
    partitions: array(int32()),
  }),
  userData: bytes('0+', { nullable: '0+', default: null }),
})

export const consumerProtocolSubscription = table('ConsumerProtocolSubscription', '0-3', 'none', {
  topics: array(string()),
  userData: bytes('0+', { nullable: '0+', default: null }),
  ownedPartitions: array(
    {
      topic: string('1+'),
      partitions: array(int32(), '1+'),
    },
    '1+',
  ),
  generationId: int32('2+', { default: -1 }),
  rackId: string('3+', { nullable: '3+', default: null }),
})

export const controlRecordTypeSchema = table('ControlRecordTypeSchema', '0', 'none', {
  type: int16(),
})

export const defaultPrincipalData = table('DefaultPrincipalData', '0', '0+', {
  type: string(),
  name: string(),
  tokenAuthenticated: bool(),
})

export const endTxnMarker = table('EndTxnMarker', '0', 'none', {
  coordinatorEpoch: int32(),
})

export const kRaftVersionRecord = table('KRaftVersionRecord', '0', '0+', {
  version: int16(),
  kRaftVersion: int16(),
})

const voter = {
  voterId: int32(),
  voterDirectoryId: uuid('1+'),
} as const

export const leaderChangeMessage = table('LeaderChangeMessage', '0-1', '0+', {
  version: int16(),
  leaderId: int32(),
  voters: array(voter),
  grantingVoters: array(voter),
})

export const snapshotFooterRecord = table('SnapshotFooterRecord', '0', '0+', {
  version: int16(),
})

export const snapshotHeaderRecord = table('SnapshotHeaderRecord', '0', '0+', {
  version: int16(),
  lastContainedLogTimestamp: int64(),
})

export const votersRecord = table('VotersRecord', '0', '0+', {
  version: int16(),
  voters: array({
    voterId: int32(),
    voterDirectoryId: uuid(),
    endpoints: array({
      name: string(),
      host: string(),
      port: uint16(),
    }),
    kRaftVersionFeature: struct({
      minSupportedVersion: int16(),
      maxSupportedVersion: int16(),
    }),
  }),
})
