// What a log writes down beside its records spares a start its scan, no more: where a full disk does not take it, records are read
// all the same.

import { StorageError } from '../../protocol/errors.ts'

export function whereRoom(note: () => void): void {
  try {
    note()
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause
  }
}
