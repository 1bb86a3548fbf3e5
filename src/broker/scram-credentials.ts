// Passwords of users as SCRAM keeps them (RFC 5802, KIP-554): salt and two keys, from which the password cannot be had.
// Kept and described; nothing asks for them until listeners authenticate.

import { createHash, createHmac } from 'node:crypto'
import { Refusal } from '../../protocol/errors.ts'
import type { MetadataLog, MetadataRecord } from './metadata-log.ts'

/** By the code that the protocol gives them. */
export const scramMechanisms: Readonly<Record<number, { hash: string; iterationsMin: number }>> = {
  1: { hash: 'sha256', iterationsMin: 4096 },
  2: { hash: 'sha512', iterationsMin: 4096 },
}
const iterationsMax = 16_384

/** Keys and salt in base64, as they are persisted. */
export type ScramCredential = { iterations: number; salt: string; storedKey: string; serverKey: string }
export type Deletion = { readonly name: string; readonly mechanism: number }
export type Upsertion = Deletion & {
  readonly iterations: number
  readonly salt: Buffer
  readonly saltedPassword: Buffer
}

export class ScramCredentials {
  readonly #metadata: MetadataLog

  constructor(metadata: MetadataLog) {
    this.#metadata = metadata
  }

  users(): string[] {
    return [...this.#metadata.state.scram.keys()].sort()
  }

  /** By mechanism; undefined for a user without any. */
  of(user: string): ReadonlyMap<number, ScramCredential> | undefined {
    return this.#metadata.state.scram.get(user)
  }

  checkDeletion({ name, mechanism }: Deletion): Refusal | undefined {
    const refusal = check(name, mechanism)
    if (refusal !== undefined || this.of(name)?.has(mechanism)) return refusal
    return new Refusal('RESOURCE_NOT_FOUND', 'Attempt to delete a user credential that does not exist')
  }

  checkUpsertion({ name, mechanism, iterations, saltedPassword }: Upsertion): Refusal | undefined {
    const refusal = check(name, mechanism)
    if (refusal !== undefined) return refusal
    const refuse = (why: string) => new Refusal('UNACCEPTABLE_CREDENTIAL', why)
    if (iterations < scramMechanisms[mechanism]!.iterationsMin) return refuse('Too few iterations')
    if (iterations > iterationsMax) return refuse('Too many iterations')
    return saltedPassword.length === 0 ? refuse('The salted password must not be empty') : undefined
  }

  /** Makes changes that were checked; resolves when they are durable. Throws StorageError. */
  alter(deletions: readonly Deletion[], upsertions: readonly Upsertion[]): Promise<void> {
    const records: MetadataRecord[] = [
      ...deletions.map(({ name, mechanism }) => ({ v: 1, type: 'scram-removed', user: name, mechanism }) as const),
      ...upsertions.map((upsertion) => {
        const { name: user, mechanism } = upsertion
        return { v: 1, type: 'scram', user, mechanism, credential: credentialOf(upsertion) } as const
      }),
    ]
    return this.#metadata.commit(records)
  }
}

function check(name: string, mechanism: number): Refusal | undefined {
  if (name === '') return new Refusal('UNACCEPTABLE_CREDENTIAL', 'Username must not be empty')
  if (scramMechanisms[mechanism] !== undefined) return undefined
  return new Refusal('UNSUPPORTED_SASL_MECHANISM', 'Unknown SCRAM mechanism')
}

function credentialOf({ mechanism, iterations, salt, saltedPassword }: Upsertion): ScramCredential {
  const { hash } = scramMechanisms[mechanism]!
  const keyed = (word: string) => createHmac(hash, saltedPassword).update(word).digest()
  return {
    iterations,
    salt: salt.toString('base64'),
    storedKey: createHash(hash).update(keyed('Client Key')).digest('base64'),
    serverKey: keyed('Server Key').toString('base64'),
  }
}
