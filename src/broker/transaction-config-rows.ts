// The broker options that transactions obey.

import { type BrokerRow, boolean, int } from './broker-config-row.ts'

export const transactionRows: readonly BrokerRow[] = [
  int('transaction.max.timeout.ms', 900_000, 'The longest timeout that a transactional producer may ask for.', {
    min: 1,
  }),
  int(
    'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    10_000,
    'How often transactions that are open for longer than their timeout are looked for, and aborted.',
    { min: 1 },
  ),
  int(
    'transactional.id.expiration.ms',
    604_800_000,
    'A transactional id without a transaction for this long is forgotten.',
    { min: 1 },
  ),
  int(
    'transaction.remove.expired.transaction.cleanup.interval.ms',
    3_600_000,
    'How often transactional ids that may be forgotten are looked for.',
    { min: 1 },
  ),
  boolean(
    'transaction.partition.verification.enable',
    true,
    'A transactional batch is taken only into a partition that was added to the transaction (KIP-890).',
    { dynamic: 'cluster' },
  ),
  int(
    'add.partitions.to.txn.retry.backoff.max.ms',
    100,
    'How long a batch that begins a transaction waits for the end of the one before.',
    { min: 0 },
  ),
  int(
    'transaction.state.log.num.partitions',
    50,
    'Partitions of the topic that holds the state of transactions. Fixed once that topic exists.',
    { min: 1 },
  ),
  int(
    'transaction.state.log.segment.bytes',
    104_857_600,
    'As log.segment.bytes, for the topic that holds the state of transactions. Fixed once that topic exists.',
    { min: 1_048_576 },
  ),
]
