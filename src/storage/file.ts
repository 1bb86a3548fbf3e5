// The seam between the log and whatever keeps its bytes. It speaks bytes and positions, never offsets or records, so a
// crash can be played in memory and a new kind of disk is one file.

/** Borrowed bytes: they stay where they are until `release`, and must not be touched after it. */
export type Lease = { readonly bytes: Buffer; release(): void }

/**
 * A file that grows at its end. What lies below `length` is never changed, truncated or moved: branches share files.
 *
 *   0 ─── committed bytes ─── length ─── staged (not part of the file yet) ─── pre-allocated zeros ───
 */
export interface File {
  readonly path: string
  /** Committed bytes. */
  readonly length: number
  /**
   * Puts bytes just above the end and gives them back as one piece, good until the next `stage` or `drop` and writable
   * until `commit`: they are copied once, to where they stay, and can be checked and patched there. `parts` of a number of
   * bytes: room for them. Throws StorageError where the disk has no room or the file has failed.
   */
  stage(parts: number | Buffer | readonly Buffer[]): Buffer
  /** The first `byteCount` staged bytes become part of the file. Throws StorageError and then nothing has changed. */
  commit(byteCount: number): void
  /** The staged bytes are given up and read as zeros if the process dies. */
  drop(): void
  /** At most `byteCount` bytes from `position`; fewer only at a seam between whole committed pieces or at the end. */
  read(position: number, byteCount: number): Lease
  /**
   * Has what will be read from `position` on brought into memory, beside everything else that goes on. Undefined where it is
   * there already, or nobody can tell: who reads may wait for the disk then, and everybody with him.
   */
  bring?(position: number, byteCount: number): Promise<void> | undefined
  /** Resolves when every byte committed before the call is on stable storage. A failed flush fails the file for good. */
  flush(): Promise<void>
  /** For recovery: cuts what lies above `length` bytes off, before anything is appended or shared. */
  cutAt(length: number): void
  /** No more bytes will come: pre-allocated space is given back as soon as no reader needs the map. */
  seal(): void
  /** Bytes taken on the disk, pre-allocated ones too. */
  readonly allocatedBytes: number
  /** Lets the map and the descriptor go, after the last lease. */
  close(): void
}

export type OpenOptions = {
  /** The file counts up to here (a bound, or the length known from a checkpoint); default: all that is on the disk. */
  length?: number
  /** Bytes may be appended. */
  append?: boolean
}

/** Where a store keeps its files, and how much of the disk there is; undefined where it is no disk. */
export type Volume = { readonly path: string; readonly totalBytes?: number; readonly usableBytes?: number }

/** A tree of folders and files, named by paths relative to its root with `/` between. */
export interface Store {
  readonly kind: 'mapped' | 'plain' | 'memory' | 'faulty'
  /** Makes an empty file and the folders above it; StorageError EEXIST if it is there. `growthMax`: it will not grow beyond. */
  create(path: string, growthMax: number): File
  open(path: string, growthMax: number, options?: OpenOptions): File
  exists(path: string): boolean
  /** Bytes of a file as the disk has it, pre-allocated zeros included. */
  sizeOf(path: string): number
  /** When somebody last wrote to a file, by the clock of the machine, ms; undefined where nobody knows. */
  writtenAt(path: string): number | undefined
  /** How many names a file has; 0 if it is not there. */
  linkCount(path: string): number
  /** Names in a folder, sorted; none if there is no such folder. */
  list(folder: string): string[]
  /** Removes a file's name; maps and links of it live on. No error if it is not there. */
  remove(path: string): void
  /**
   * Makes folders and those above them: many off the event loop, and all where nobody waits for them (`isAhead`). Rejects with
   * StorageError.
   */
  makeFolders(folders: readonly string[], isAhead?: boolean): Promise<void>
  /** Removes a folder with all in it. */
  removeFolder(folder: string): void
  /** The same off the event loop: large files take their time. Rejects with StorageError. */
  discardFolder(folder: string): Promise<void>
  /** `isNew`: nothing bears the name yet, so nobody looks. */
  rename(from: string, to: string, isNew?: boolean): void
  /** Gives a file a second name that shares its bytes (hard link), or a copy where that cannot be; answers bytes copied. */
  share(from: string, to: string): number
  /** Reads a small file whole; undefined if it is not there. */
  load(path: string): Buffer | undefined
  /**
   * Writes a small file whole: readers see the old or the new content, never a part. `durable`: flushed before the
   * rename; without it a power cut may leave the old content, or none.
   */
  save(path: string, content: Buffer, durable: boolean): void
  /** Makes the names in folders durable, their own and those above them too. */
  syncFolder(...folders: string[]): Promise<void>
  /** Makes the names in one folder durable; its own is so already. */
  syncNames(folder: string): Promise<void>
  /**
   * Whether the machine went down since a file was last written. Then bytes that were not flushed may be missing
   * anywhere in it; a mere kill leaves every byte.
   */
  mayHaveLost(path: string): boolean
  /** Another after every time the machine went down: what was written in an earlier life and not flushed may be missing. */
  readonly boot: string
  volume(): Volume
  /**
   * Brings all that was written before the call, names too, to stable storage at once, however many files; resolves to false where that
   * failed: then each is to be flushed by itself. Absent where it cannot be had.
   */
  flushAll?(): Promise<boolean>
  close(): void
}

/** Runs `read` on borrowed bytes and gives them back. */
export function borrow<T>(lease: Lease, read: (bytes: Buffer) => T): T {
  try {
    return read(lease.bytes)
  } finally {
    lease.release()
  }
}

/**
 * Saves a small file durably and off the event loop, but for the names of its folder, which the caller syncs. `isWanted` is
 * asked when it is written, and answered. Rejects with StorageError.
 */
export async function saveAside(
  store: Store,
  path: string,
  content: Buffer,
  isWanted: () => boolean,
): Promise<boolean> {
  const aside = `${path}.aside.tmp`
  store.save(aside, content, false)
  let wanted = false
  try {
    await flushFile(store, aside)
    wanted = isWanted()
  } finally {
    if (!wanted) store.remove(aside)
  }
  if (wanted) store.rename(aside, path)
  return wanted
}

async function flushFile(store: Store, path: string): Promise<void> {
  // Some systems flush only what may be written.
  const file = store.open(path, 0, { append: true })
  try {
    await file.flush()
  } finally {
    file.close()
  }
}

/** Sums what is to be staged, bytes. */
export function stagedBytes(parts: number | Buffer | readonly Buffer[]): number {
  if (typeof parts === 'number') return parts
  if (Buffer.isBuffer(parts)) return parts.length
  let total = 0
  for (const part of parts) total += part.length
  return total
}

/** Copies parts one behind the other; a number copies nothing. */
export function copyParts(parts: number | Buffer | readonly Buffer[], into: Buffer): Buffer {
  if (Buffer.isBuffer(parts)) parts.copy(into)
  else if (typeof parts !== 'number') {
    let at = 0
    for (const part of parts) at += part.copy(into, at)
  }
  return into
}

export type StagedParts = Parameters<File['stage']>[0]
