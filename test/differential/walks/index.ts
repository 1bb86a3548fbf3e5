// Walks by kind.

import type { Side } from '../side.ts'
import { adminWalks } from './admin.ts'
import { anythingWalks } from './anything.ts'
import { classicWalks } from './classic.ts'
import { consumerWalks } from './consumers.ts'
import { recordWalks } from './records.ts'
import { shareWalks } from './shares.ts'
import { topicWalks } from './topics.ts'
import { transactionWalks } from './transactions.ts'

/** Walks of a kind play as many as TWIGLOG_WALKS says, of TWIGLOG_SEED. */
export const walkScenarios: Readonly<Record<string, (side: Side) => Promise<void>>> = {
  recordWalks,
  topicWalks,
  adminWalks,
  transactionWalks,
  classicWalks,
  consumerWalks,
  shareWalks,
  anythingWalks,
}
