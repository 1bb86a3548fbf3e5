// The broker options that transactions obey, under Kafka's own names.

export type TransactionConfig = {
  readonly 'transaction.max.timeout.ms': number
  readonly 'transaction.abort.timed.out.transaction.cleanup.interval.ms': number
  readonly 'transaction.remove.expired.transaction.cleanup.interval.ms': number
  readonly 'transactional.id.expiration.ms': number
  readonly 'transaction.state.log.num.partitions': number
  readonly 'add.partitions.to.txn.retry.backoff.max.ms': number
}

export const transactionConfigDefaults: TransactionConfig = {
  'transaction.max.timeout.ms': 900_000,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 10_000,
  'transaction.remove.expired.transaction.cleanup.interval.ms': 3_600_000,
  'transactional.id.expiration.ms': 604_800_000,
  'transaction.state.log.num.partitions': 50,
  'add.partitions.to.txn.retry.backoff.max.ms': 100,
}
