// What is said of a disk that is in the way of a fork or a merge: what it refused, and what can be done about it.

import { Corruption, DamagedRecords, Refusal, StorageError } from '../../protocol/errors.ts'
import { storageRefusal } from '../broker/storage-refusal.ts'

const room = 'Make room on the disk of the data folder, then ask again.'
const rights = 'Let the broker write to its data folder, then ask again.'
const cures: Readonly<Record<string, string>> = {
  ENOSPC: room,
  EDQUOT: room,
  EROFS: rights,
  EACCES: rights,
  EPERM: rights,
}
const damage =
  "'twiglog check' on the data folder, with the broker stopped, names what is damaged: restore that, or leave this topic out."

/** The last sentence of a refusal. */
export function cureOf(cause: unknown): string {
  if (cause instanceof Corruption || cause instanceof DamagedRecords) return damage
  const cure = cause instanceof StorageError ? cures[cause.code] : undefined
  return cure ?? `Look at the disk, ask again, and if it is refused again start the broker anew. ${damage}`
}

/** As storageRefusal: anything but an error of the disk, or of bytes on it, passes on. */
export function diskRefusal(cause: unknown): Refusal {
  const { error, message } = storageRefusal(cause)
  return new Refusal(error, `${message}. ${cureOf(cause)}`)
}
