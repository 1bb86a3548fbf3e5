// What the last runs found, a file per client and kind of broker: what MATRIX.md is made of.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Outcome = { readonly result: 'pass' | 'fail' | 'skip'; readonly word?: string }
export type BrokerKind = 'twiglog' | 'kafka'

export interface Result {
  readonly client: string
  readonly version: string
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

/** Undefined where only a part of the scenarios is played: it would look like the whole. */
export async function requestLogOf(client: string): Promise<string | undefined> {
  if (COMPAT_ONLY) return undefined
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${client}.requests.jsonl`)
  await writeFile(file, '')
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
    if (COMPAT_ONLY) return
    await mkdir(folder, { recursive: true })
    const kind: BrokerKind = COMPAT_BOOTSTRAP ? 'kafka' : 'twiglog'
    const result: Result = { client: this.#client, version: this.#version, outcomes: this.#outcomes }
    await writeFile(join(folder, `${this.#client}.${kind}.json`), `${JSON.stringify(result, null, 1)}\n`)
  }
}

export async function allResults(): Promise<ReadonlyMap<string, Partial<Record<BrokerKind, Result>>>> {
  const found = new Map<string, Partial<Record<BrokerKind, Result>>>()
  for (const file of await readdir(folder).catch(() => [])) {
    const [, client, kind] = /^(.+)\.(twiglog|kafka)\.json$/.exec(file) ?? []
    if (client === undefined) continue
    const result = JSON.parse(await readFile(join(folder, file), 'utf8')) as Result
    found.set(client, { ...found.get(client), [kind as BrokerKind]: result })
  }
  return found
}

export async function requestsOf(client: string): Promise<Asked[]> {
  const lines = (await readFile(join(folder, `${client}.requests.jsonl`), 'utf8').catch(() => '')).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Asked)
}
