// What is answered instead of what was asked for: a status and a sentence that says what to change (RFC 9457).

import { type ErrorName, errors, type Refusal } from '../../protocol/errors.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'

export class Problem {
  readonly status: number
  readonly detail: string
  /** Kafka's name for it, where it has one. */
  readonly error: ErrorName | undefined
  /** More that a program may want to know. */
  readonly more: Readonly<Record<string, unknown>>

  constructor(status: number, detail: string, error?: ErrorName, more: Readonly<Record<string, unknown>> = {}) {
    this.status = status
    this.detail = detail
    this.error = error
    this.more = more
  }
}

/** Statuses that are used, in words. */
export const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  411: 'Length required',
  412: 'Precondition failed',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  500: 'Internal error',
  503: 'Not available now',
}

const statuses: Partial<Record<ErrorName, number>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 404,
  UNKNOWN_TOPIC_ID: 404,
  OFFSET_OUT_OF_RANGE: 400,
  INVALID_RECORD: 400,
  INVALID_TIMESTAMP: 400,
  INVALID_CONFIG: 400,
  INVALID_REQUEST: 400,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 400,
  MESSAGE_TOO_LARGE: 413,
  RECORD_LIST_TOO_LARGE: 413,
  INVALID_TOPIC_EXCEPTION: 403,
  TOPIC_AUTHORIZATION_FAILED: 403,
  CLUSTER_AUTHORIZATION_FAILED: 403,
  POLICY_VIOLATION: 403,
  CONCURRENT_TRANSACTIONS: 409,
  KAFKA_STORAGE_ERROR: 503,
  NOT_LEADER_OR_FOLLOWER: 503,
  LEADER_NOT_AVAILABLE: 503,
  NOT_ENOUGH_REPLICAS: 503,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 503,
  REQUEST_TIMED_OUT: 503,
}

export const problemOf = ({ error, message }: Pick<Refusal, 'error' | 'message'>): Problem =>
  new Problem(statuses[error] ?? 500, message, error)

const names = new Map<number, ErrorName>(
  Object.entries(errors).map(([name, { code }]) => [code, name as ErrorName] as const),
)

/** The same of an error as it stands in an answer of Kafka's. */
export function problemOfCode(code: number, message: string | null): Problem {
  const error = names.get(code) ?? 'UNKNOWN_SERVER_ERROR'
  return problemOf({ error, message: message ?? errors[error].sentence })
}

/** A log that cannot be read is a problem of whoever asks for it, and of nobody else. */
export function attempt<T>(read: () => T): T | Problem {
  try {
    return read()
  } catch (cause) {
    return problemOf(storageRefusal(cause))
  }
}
