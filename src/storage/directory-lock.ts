// Keeps two brokers from one data directory: a file that names the process which has it. Linux locks that file as well, and lets go of
// it when the process ends, however it does; so neither a container that begins to count its processes anew nor one that has the
// same volume is mistaken. Elsewhere the file alone says who it is.

import { closeSync, existsSync, fstatSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { StorageError } from '../../protocol/errors.ts'
import { storageError } from './directory.ts'
import { native } from './native.ts'

const fileName = 'lock'
/** flock(2): LOCK_EX and LOCK_NB. */
const aloneOrNot = 2 | 4
/** Linux's EWOULDBLOCK. */
const heldByAnother = 11

/** Those that brokers of this process have. */
const ours = new Set<string>()

const over = 'over'

type Holder = { readonly pid: number; readonly since: string | undefined }

/**
 * When a process began: its number may belong to another one by now. `over` for one that has ended and whose parent has not asked
 * yet how; undefined where nobody tells.
 */
function beginningOf(pid: number): string | undefined {
  try {
    // The name of the process may hold blanks and brackets. What is behind it is the third field; the 22nd is wanted.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\)\s/s, '')
      .split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return over
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
    return `${boot}-${fields[19]}`
  } catch {
    return undefined
  }
}

function holderIn(text: string): Holder | undefined {
  const [pid = '', since] = text.trim().split(' ')
  return /^[1-9]\d*$/.test(pid) ? { pid: Number(pid), since } : undefined
}

function isAlive({ pid, since }: Holder, path: string): boolean {
  const beginning = beginningOf(pid)
  if (beginning === over) return false
  if (since !== undefined && beginning !== undefined) return since === beginning
  // Whoever had this number before us has ended.
  if (pid === process.pid) return ours.has(path)
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** What became of the lock: file systems may have none, and systems. */
function lock(descriptor: number): 'got' | 'refused' | 'none' {
  const library = native()
  const flock = library?.func('int flock(int descriptor, int operation)') as
    | ((descriptor: number, operation: number) => number)
    | undefined
  if (flock === undefined) return 'none'
  if (flock(descriptor, aloneOrNot) === 0) return 'got'
  return library!.koffi.errno() === heldByAnother ? 'refused' : 'none'
}

const pathIn = (root: string): string => join(resolve(root), fileName)

/** The process that has the directory now, as far as its file tells. */
export function holderOf(root: string): number | undefined {
  const path = pathIn(root)
  try {
    const holder = holderIn(readFileSync(path, 'utf8'))
    return holder !== undefined && isAlive(holder, path) ? holder.pid : undefined
  } catch {
    return undefined
  }
}

function open(path: string, flags: 'wx+' | 'r+'): number | undefined {
  try {
    return openSync(path, flags)
  } catch (cause) {
    const isElsewise = (cause as NodeJS.ErrnoException).code === (flags === 'wx+' ? 'EEXIST' : 'ENOENT')
    if (isElsewise) return undefined
    throw storageError(cause)
  }
}

/** Whoever gives us the configuration of a Kafka would look for his topics in vain, and have two brokers' files in one folder. */
const ofKafka = 'meta.properties'

/** Takes the directory; StorageError EBUSY where another living process has it. Answers how to give it back. */
export function lockDirectory(root: string): () => void {
  const path = pathIn(root)
  if (existsSync(join(root, ofKafka))) {
    const why = `${root} holds data of Apache Kafka (${ofKafka}), which we cannot read`
    throw new StorageError('EEXIST', `${why}: name another --data directory.`)
  }
  for (;;) {
    const made = open(path, 'wx+')
    if (made !== undefined) return take(made, path, root)
    removeStale(path, root)
  }
}

function take(descriptor: number, path: string, root: string): () => void {
  try {
    if (lock(descriptor) === 'refused') throw busy(root, undefined)
    writeSync(descriptor, `${process.pid} ${beginningOf(process.pid) ?? ''}\n`)
  } catch (cause) {
    closeSync(descriptor)
    // Whoever has it removes it.
    if (!(cause instanceof StorageError)) rmSync(path, { force: true })
    throw storageError(cause)
  }
  ours.add(path)
  return () => {
    ours.delete(path)
    rmSync(path, { force: true })
    closeSync(descriptor)
  }
}

/** What a process has left that was killed, or a thread of ours that was. Throws EBUSY where it lives. */
function removeStale(path: string, root: string): void {
  const descriptor = open(path, 'r+')
  if (descriptor === undefined) return
  try {
    const locked = lock(descriptor)
    const holder = holderIn(readFileSync(descriptor, 'utf8'))
    const isGone = holder === undefined || (holder.pid === process.pid && locked === 'got') || !isAlive(holder, path)
    if (locked === 'refused' || !isGone) throw busy(root, holder)
    // It may have been given back in this moment, and another one made in its place.
    if (statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(descriptor).ino) rmSync(path, { force: true })
  } catch (cause) {
    throw storageError(cause)
  } finally {
    closeSync(descriptor)
  }
}

function busy(root: string, holder: Holder | undefined): StorageError {
  const isOurs = holder?.pid === process.pid && holder.since === beginningOf(process.pid)
  const by = holder === undefined ? 'another process' : `process ${holder.pid}`
  return isOurs
    ? new StorageError('EBUSY', `${root} is in use by another broker of this process.`)
    : new StorageError('EBUSY', `${root} is in use by ${by}; stop it, or name another --data directory.`)
}
