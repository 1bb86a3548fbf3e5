// What the last runs found, a file per client and kind of broker: what MATRIX.md is made of.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Outcome = { readonly result: 'pass' | 'fail' | 'skip'; readonly word?: string }
export type BrokerKind = 'twiglog' | 'kafka'

export interface Result {
  readonly client: string
  readonly version: string
  /** When the oldest and the newest of the outcomes were written, in UTC: "2026-11-21 15:27". */
  readonly since?: string
  readonly until?: string
  readonly outcomes: { readonly [id: string]: Outcome }
}

/** One line of the broker's `--request-log`. */
export interface Asked {
  readonly apiKey: number
  readonly version: number
  readonly softwareName: string
  readonly softwareVersion: string
}

const { COMPAT_RESULTS, COMPAT_ONLY, COMPAT_BOOTSTRAP } = process.env
const folder = COMPAT_RESULTS ?? fileURLToPath(new URL('results/', import.meta.url))

/** Begun anew with a whole run; a part of one adds to it. */
export async function requestLogOf(client: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${client}.requests.jsonl`)
  if (!COMPAT_ONLY) await writeFile(file, '')
  return file
}

export class Results {
  readonly #client: string
  readonly #version: string
  readonly #outcomes: { [id: string]: Outcome } = {}

  constructor(client: string, version: string) {
    this.#client = client
    this.#version = version
  }

  note(id: string, outcome: Outcome): void {
    this.#outcomes[id] = outcome
  }

  async write(): Promise<void> {
    await mkdir(folder, { recursive: true })
    const kind: BrokerKind = COMPAT_BOOTSTRAP ? 'kafka' : 'twiglog'
    const file = join(folder, `${this.#client}.${kind}.json`)
    const before = COMPAT_ONLY ? await readResult(file) : undefined
    if (COMPAT_ONLY && before?.version !== this.#version) return // a part would look like the whole
    const outcomes = { ...before?.outcomes, ...this.#outcomes }
    const until = new Date().toISOString().slice(0, 16).replace('T', ' ')
    const since = before?.since ?? until
    const result: Result = { client: this.#client, version: this.#version, since, until, outcomes }
    await writeFile(file, `${JSON.stringify(result, null, 1)}\n`)
  }
}

async function readResult(file: string): Promise<Result | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Result)
}

export async function allResults(): Promise<ReadonlyMap<string, Partial<Record<BrokerKind, Result>>>> {
  const found = new Map<string, Partial<Record<BrokerKind, Result>>>()
  for (const file of await readdir(folder).catch(() => [])) {
    const [, client, kind] = /^(.+)\.(twiglog|kafka)\.json$/.exec(file) ?? []
    if (client === undefined) continue
    const result = await readResult(join(folder, file))
    if (result) found.set(client, { ...found.get(client), [kind as BrokerKind]: result })
  }
  return found
}

export async function requestsOf(client: string): Promise<Asked[]> {
  const lines = (await readFile(join(folder, `${client}.requests.jsonl`), 'utf8').catch(() => '')).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Asked)
}
