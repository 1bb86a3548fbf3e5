// A disk that fails on demand and remembers what would be left after a kill or a power cut: the ground of crash tests.

import { StorageError } from '../../protocol/errors.ts'
import type { File, Lease, OpenOptions, StagedParts } from './file.ts'
import { MemoryStore } from './memory-file.ts'

/** What may be made to fail; the answer is the error code to fail with, or undefined to go on. */
export type Fault = (
  operation: 'create' | 'stage' | 'commit' | 'read' | 'flush' | 'save' | 'rename' | 'remove' | 'share',
  path: string,
) => string | undefined

type Tracked = { file: File; flushed: number; staged: Buffer | undefined }

class FaultyFile implements File {
  readonly #store: FaultyStore
  readonly #tracked: Tracked

  constructor(store: FaultyStore, tracked: Tracked) {
    this.#store = store
    this.#tracked = tracked
  }

  get path(): string {
    return this.#tracked.file.path
  }

  get length(): number {
    return this.#tracked.file.length
  }

  get allocatedBytes(): number {
    return this.#tracked.file.allocatedBytes
  }

  stage(parts: StagedParts): Buffer {
    this.#store.check('stage', this.path)
    this.#tracked.staged = this.#tracked.file.stage(parts)
    return this.#tracked.staged
  }

  commit(byteCount: number): void {
    this.#store.check('commit', this.path)
    this.#tracked.file.commit(byteCount)
    this.#tracked.staged = undefined
  }

  drop(): void {
    this.#tracked.staged?.fill(0)
    this.#tracked.staged = undefined
    this.#tracked.file.drop()
  }

  read(position: number, byteCount: number): Lease {
    this.#store.check('read', this.path)
    return this.#tracked.file.read(position, byteCount)
  }

  async flush(): Promise<void> {
    this.#store.check('flush', this.path)
    const { length } = this.#tracked.file
    await this.#tracked.file.flush()
    this.#tracked.flushed = Math.max(this.#tracked.flushed, length)
  }

  cutAt(length: number): void {
    this.#tracked.file.cutAt(length)
  }

  seal(): void {
    this.#tracked.file.seal()
  }

  close(): void {
    this.#tracked.file.close()
  }
}

export class FaultyStore extends MemoryStore {
  override readonly kind = 'faulty'
  fault: Fault = () => undefined
  readonly #tracked = new Map<string, Tracked>()
  readonly #saved = new Map<string, Buffer>()

  /** Throws what the fault asks for. */
  check(operation: Parameters<Fault>[0], path: string): void {
    const code = this.fault(operation, path)
    if (code !== undefined) throw new StorageError(code, `${operation} of ${path} failed with ${code}`)
  }

  #track(path: string, file: File, flushed: number): File {
    const tracked = { file, flushed, staged: undefined }
    this.#tracked.set(path, tracked)
    return new FaultyFile(this, tracked)
  }

  override create(path: string, growthMax: number): File {
    this.check('create', path)
    return this.#track(path, super.create(path, growthMax), 0)
  }

  override open(path: string, growthMax: number, options?: OpenOptions): File {
    const file = super.open(path, growthMax, options)
    return this.#track(path, file, this.#tracked.get(path)?.flushed ?? file.length)
  }

  override remove(path: string): void {
    this.check('remove', path)
    super.remove(path)
    this.#tracked.delete(path)
    this.#saved.delete(path)
  }

  override rename(from: string, to: string): void {
    this.check('rename', from)
    super.rename(from, to)
  }

  override share(from: string, to: string): number {
    this.check('share', from)
    return super.share(from, to)
  }

  override save(path: string, bytes: Buffer, durable: boolean): void {
    this.check('save', path)
    super.save(path, bytes, durable)
    this.#saved.set(path, Buffer.from(bytes))
  }

  /**
   * The disk as a new process finds it. After a kill all committed bytes are there, and the first `tornBytes` of what
   * was staged; after a power cut only what was flushed.
   */
  after(event: 'kill' | 'power cut', tornBytes = 0): FaultyStore {
    const left = new FaultyStore()
    for (const [path, bytes] of this.#saved) left.save(path, bytes, true)
    for (const [path, { file, flushed, staged }] of this.#tracked) {
      const whole = this.load(path)
      if (whole === undefined) continue
      const kept = event === 'kill' ? whole : whole.subarray(0, Math.min(flushed, file.length))
      const torn =
        event === 'kill' && staged !== undefined ? Buffer.from(staged.subarray(0, tornBytes)) : Buffer.alloc(0)
      const content = Buffer.concat([kept, torn])
      const copy = left.create(path, content.length)
      if (content.length === 0) continue
      content.copy(copy.stage(content.length))
      copy.commit(content.length)
    }
    return left
  }
}
