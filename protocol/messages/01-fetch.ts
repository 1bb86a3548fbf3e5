// Fetch, key 1: versions 4-18, flexible from 12.
//   v5: request +logStartOffset; answer +logStartOffset
//   v7: request +sessionId +sessionEpoch +forgottenTopicsData; answer +errorCode +sessionId
//   v9: request +currentLeaderEpoch
//   v11: request +rackId; answer +preferredReadReplica
//   v12: request +clusterId +lastFetchedEpoch; answer +divergingEpoch +currentLeader +snapshotId
//   v13: request -topic +topicId; answer -topic +topicId
//   v15: request -replicaId +replicaState
//   v16: answer +nodeEndpoints
//   v17: request +replicaDirectoryId
//   v18: request +highWatermark

import { api, array, int8, int16, int32, int64, records, string, struct, uuid } from '../schema.ts'

export const fetch = api(
  1,
  'Fetch',
  '4-18',
  '12+',
  {
    clusterId: string('12+', { nullable: '12+', default: null, tag: 0, tagged: '12+' }),
    replicaId: int32('0-14', { default: -1 }),
    replicaState: struct(
      {
        replicaId: int32('15+', { default: -1 }),
        replicaEpoch: int64('15+', { default: -1 }),
      },
      '15+',
      { tag: 1, tagged: '15+' },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32('0+', { default: 0x7fffffff }),
    isolationLevel: int8(),
    sessionId: int32('7+'),
    sessionEpoch: int32('7+', { default: -1 }),
    topics: array({
      topic: string('0-12'),
      topicId: uuid('13+'),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32('9+', { default: -1 }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32('12+', { default: -1 }),
        logStartOffset: int64('5+', { default: -1 }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid('17+', { tag: 0, tagged: '17+' }),
        highWatermark: int64('18+', { default: 2 ** 63, tag: 1, tagged: '18+' }),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string('7-12'),
        topicId: uuid('13+'),
        partitions: array(int32(), '7+'),
      },
      '7+',
    ),
    rackId: string('11+'),
  },
  {
    throttleTimeMs: int32('0+'),
    errorCode: int16('7+'),
    sessionId: int32('7+'),
    responses: array({
      topic: string('0-12'),
      topicId: uuid('13+'),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64('0+', { default: -1 }),
        logStartOffset: int64('5+', { default: -1 }),
        divergingEpoch: struct(
          {
            epoch: int32('12+', { default: -1 }),
            endOffset: int64('12+', { default: -1 }),
          },
          '12+',
          { tag: 0, tagged: '12+' },
        ),
        currentLeader: struct(
          {
            leaderId: int32('12+', { default: -1 }),
            leaderEpoch: int32('12+', { default: -1 }),
          },
          '12+',
          { tag: 1, tagged: '12+' },
        ),
        snapshotId: struct(
          {
            endOffset: int64('0+', { default: -1 }),
            epoch: int32('0+', { default: -1 }),
          },
          '12+',
          { tag: 2, tagged: '12+' },
        ),
        abortedTransactions: array(
          {
            producerId: int64(),
            firstOffset: int64(),
          },
          '0+',
          { nullable: '0+' },
        ),
        preferredReadReplica: int32('11+', { default: -1 }),
        records: records('0+', { nullable: '0+' }),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32('16+'),
        host: string('16+'),
        port: int32('16+'),
        rack: string('16+', { nullable: '16+', default: null }),
      },
      '16+',
      { tag: 0, tagged: '16+' },
    ),
  },
)
