// Names on a real disk: what the mapped and the plain store share. Only how a file's bytes are written and read differs.

import * as fs from 'node:fs'
import { uptime } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { StorageError } from '../../protocol/errors.ts'
import type { Volume } from './file.ts'

/**
 * Turns an error of the operating system into ours; anything else is our own mistake and passes. `file`: whose descriptor it was,
 * for of a descriptor the system says no name.
 */
export function storageError(cause: unknown, file?: string): StorageError {
  if (cause instanceof StorageError) return cause
  const { code, message, path } = cause as NodeJS.ErrnoException
  const isNamed = path !== undefined || file === undefined
  if (typeof code === 'string') return new StorageError(code, isNamed ? message : `${file}: ${message}`)
  throw cause
}

function disk<T>(operation: () => T, file?: string): T {
  try {
    return operation()
  } catch (cause) {
    throw storageError(cause, file)
  }
}

/** `--data FILE` is a slip of the hand, and of the system's words nobody sees which. */
function makeRoot(root: string): void {
  try {
    fs.mkdirSync(root, { recursive: true })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw cause
    throw new StorageError('ENOTDIR', `${root} is no folder, or lies in none: name another --data directory.`)
  }
}

/** Linux names each life of the machine; elsewhere the time of its beginning does, to within the drift of a clock. */
function bootOfMachine(): string {
  try {
    return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
  } catch {
    return String(Math.round((Date.now() - uptime() * 1000) / 10_000))
  }
}

/** As many as the threads that wait for the disk. */
const syncedAtOnce = 4
/** So many folders are made in one turn. */
const madeAtOnce = 4
/** Of the clocks of a machine and of whoever keeps its files. */
const clockSlackMs = 1000
/** From here on a file is removed off the event loop. */
const largeBytes = 1024 * 1024

/** Of a folder: the one under way, and one more for all who have come since, perhaps with names too late for it. */
type Sync = { readonly done: Promise<void>; next?: Promise<void> }

export class Directory {
  readonly root: string
  readonly #inside: string
  readonly boot = bootOfMachine()
  /** Folders of the root whose names are on stable storage. */
  readonly #rooted = new Set<string>()
  readonly #syncs = new Map<string, Sync>()

  constructor(root: string) {
    this.root = root
    this.#inside = join(root, '/')
    disk(() => makeRoot(root))
  }

  /** As it stands: what joins names looks at every character, and left 8 KB of garbage a fork. */
  path(path: string): string {
    return `${this.#inside}${path}`
  }

  openFile(path: string, flags: string): number {
    return disk(() => {
      if (flags === 'wx+') fs.mkdirSync(dirname(this.path(path)), { recursive: true })
      return fs.openSync(this.path(path), flags)
    })
  }

  sizeOf(path: string): number {
    return disk(() => fs.statSync(this.path(path)).size)
  }

  writtenAt(path: string): number | undefined {
    return disk(() => fs.statSync(this.path(path), { throwIfNoEntry: false }))?.mtimeMs
  }

  linkCount(path: string): number {
    return disk(() => fs.statSync(this.path(path), { throwIfNoEntry: false }))?.nlink ?? 0
  }

  /** Whoever cannot look does not know: what is there would be made anew, or taken for lost. */
  exists(path: string): boolean {
    return disk(() => fs.statSync(this.path(path), { throwIfNoEntry: false })) !== undefined
  }

  list(folder: string): string[] {
    try {
      return fs.readdirSync(this.path(folder)).sort()
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw storageError(cause)
    }
  }

  remove(path: string): void {
    this.#holding(path, () => fs.rmSync(this.path(path), { force: true }))
  }

  /**
   * Giving back the space of a large file takes a tenth of a second and more. It happens when the last descriptor goes,
   * so one is kept until the name is gone, and closed off the event loop. Small ones make room at once.
   */
  #holding(path: string, work: () => void): void {
    const descriptor = this.#heldOf(path)
    try {
      disk(work)
    } finally {
      if (descriptor !== undefined) fs.close(descriptor, () => {})
    }
  }

  #heldOf(path: string): number | undefined {
    // There a file that is open keeps its name.
    if (process.platform === 'win32') return undefined
    try {
      const size = fs.statSync(this.path(path), { throwIfNoEntry: false })?.size ?? 0
      return size < largeBytes ? undefined : fs.openSync(this.path(path), 'r')
    } catch {
      return undefined // it only takes longer
    }
  }

  removeFolder(folder: string): void {
    disk(() => fs.rmSync(this.path(folder), { recursive: true, force: true }))
  }

  async discardFolder(folder: string): Promise<void> {
    try {
      // Somebody may just be writing the last of it.
      await fs.promises.rm(this.path(folder), { recursive: true, force: true, maxRetries: 3, retryDelay: 20 })
    } catch (cause) {
      throw storageError(cause)
    }
  }

  rename(from: string, to: string, isNew = false): void {
    const work = () => this.#withFolderOf(to, () => fs.renameSync(this.path(from), this.path(to)))
    if (isNew) disk(work)
    else this.#holding(to, work)
  }

  /** Nearly always the folder is there, and making it would cost more than the work. */
  #withFolderOf<T>(path: string, work: () => T): T {
    try {
      return work()
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
      fs.mkdirSync(dirname(this.path(path)), { recursive: true })
      return work()
    }
  }

  /** To hand one to a thread and to hear of it takes longer than to make it, mostly: behind a journal at work it takes milliseconds. */
  async makeFolders(folders: readonly string[], isAhead = false): Promise<void> {
    if (isAhead || folders.length > madeAtOnce) await Promise.all(folders.map((folder) => this.#makeFolder(folder)))
    else disk(() => folders.forEach((folder) => void fs.mkdirSync(this.path(folder), { recursive: true })))
  }

  #makeFolder(folder: string): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.mkdir(this.path(folder), { recursive: true }, (cause) => {
        if (cause === null) resolve()
        else reject(storageError(cause))
      })
    })
  }

  share(from: string, to: string): number {
    return disk(() => {
      try {
        this.#withFolderOf(to, () => fs.linkSync(this.path(from), this.path(to)))
        return 0
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException
        if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw cause
        fs.copyFileSync(this.path(from), this.path(to), fs.constants.COPYFILE_EXCL | fs.constants.COPYFILE_FICLONE)
        return fs.statSync(this.path(to)).size
      }
    })
  }

  load(path: string): Buffer | undefined {
    try {
      return fs.readFileSync(this.path(path))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw storageError(cause)
    }
  }

  save(path: string, content: Buffer, durable: boolean): void {
    disk(() => {
      const to = this.path(path)
      const aside = `${to}.tmp`
      const descriptor = this.#withFolderOf(path, () => fs.openSync(aside, 'w'))
      try {
        writeWhole(descriptor, content, durable)
        fs.renameSync(aside, to)
      } catch (cause) {
        // What was written of it may be the last of the room.
        fs.rmSync(aside, { force: true })
        throw cause
      }
      if (durable)
        for (let inner = dirname(path); ; inner = dirname(inner)) {
          this.#syncFolderNow(this.path(inner))
          if (inner === '.') return
        }
    }, path)
  }

  #syncFolderNow(folder: string): void {
    const descriptor = fs.openSync(folder, 'r')
    try {
      fs.fsyncSync(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
  }

  /** Each once, the inner ones first. */
  async syncFolder(...folders: string[]): Promise<void> {
    const chain = new Set<string>()
    for (const folder of folders) for (let inner = folder; inner !== '.'; inner = dirname(inner)) chain.add(inner)
    const deepestFirst = [...chain].map((folder) => [folder.split('/').length, folder] as const)
    deepestFirst.sort(([a], [b]) => b - a)
    // A folder of the root never goes or gets another name: once is enough for it.
    const inRoot = deepestFirst.map(([, folder]) => folder).filter((folder) => !folder.includes('/'))
    const rest = inRoot.length > 0 && inRoot.every((folder) => this.#rooted.has(folder)) ? [] : ['.']
    const all = [...deepestFirst.map(([, folder]) => folder), ...rest]
    const waiting = all.values()
    const syncSome = async () => {
      for (const folder of waiting) await this.#syncOne(folder)
    }
    try {
      // One and the one around it are hardly sooner done at once: the journal that the first waits for holds both.
      await Promise.all(Array.from({ length: Math.min(syncedAtOnce, Math.ceil(all.length / 2)) }, syncSome))
      for (const folder of inRoot) this.#rooted.add(folder)
    } catch (cause) {
      throw storageError(cause)
    }
  }

  async syncNames(folder: string): Promise<void> {
    try {
      await this.#syncOne(folder)
    } catch (cause) {
      throw storageError(cause)
    }
  }

  /** The logs of a topic have folders around theirs in common. Behind a sync that failed none of the same folder is believed. */
  #syncOne(folder: string): Promise<void> {
    const underWay = this.#syncs.get(folder)
    if (underWay === undefined) return this.#beginSync(folder)
    underWay.next ??= underWay.done.then(() => this.#beginSync(folder))
    return underWay.next
  }

  #beginSync(folder: string): Promise<void> {
    const done = this.#sync(folder)
    const sync: Sync = { done }
    this.#syncs.set(folder, sync)
    // Before those who wait go on; the next one, if somebody asked for it, begins in this turn and takes its place.
    const over = () => {
      if (this.#syncs.get(folder) === sync) this.#syncs.delete(folder)
    }
    done.then(over, over)
    return done
  }

  /**
   * By callbacks: a handle of fs.promises costs more than the call. Only what waits for the disk is done off the event loop:
   * to hand a call to a thread and to hear of it takes longer than to open a folder.
   */
  #sync(folder: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const descriptor = fs.openSync(this.path(folder), 'r')
      fs.fsync(descriptor, (failed) => {
        fs.closeSync(descriptor)
        if (failed === null) resolve()
        else reject(storageError(failed, folder))
      })
    })
  }

  volume(): Volume {
    const { blocks, bavail, bsize } = disk(() => fs.statfsSync(this.root))
    return { path: resolve(this.root), totalBytes: blocks * bsize, usableBytes: bavail * bsize }
  }

  /** A clock that was set back, as of a machine that has none of its own, does not tell: then it may. */
  mayHaveLost(path: string): boolean {
    const { mtimeMs } = disk(() => fs.statSync(this.path(path)))
    const now = Date.now()
    return mtimeMs < now - uptime() * 1000 || mtimeMs > now + clockSlackMs
  }
}

/** And closes it. */
function writeWhole(descriptor: number, content: Buffer, durable: boolean): void {
  try {
    // A disk with room for a part of it takes that part without a word.
    for (let done = 0; done < content.length; ) done += fs.writeSync(descriptor, content, done)
    if (durable) fs.fdatasyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Flushes a descriptor off the event loop. */
export function flushDescriptor(descriptor: number, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(descriptor, (cause) => (cause === null ? resolve() : reject(storageError(cause, file))))
  })
}
