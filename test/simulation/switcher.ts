// A topic that is compacted, then keeps every revision, then is compacted again, while its segments are rewritten in the one way or the
// other: the newest record of each key is there whatever happens, and what was configured is configured.

import { describeConfigs } from '../../protocol/messages/32-describe-configs.ts'
import { incrementalAlterConfigs } from '../../protocol/messages/44-incremental-alter-configs.ts'
import { walk } from '../crash-lab/log-reader.ts'
import type { Wanted } from '../crash-lab/making.ts'
import { attempt } from './attempt.ts'
import type { Caller } from './caller.ts'
import { writeOnce } from './write-once.ts'

const switched = 'switched'
const ways = {
  compacted: { 'revision.diff': 'false', 'cleanup.policy': 'compact' },
  revised: { 'revision.diff': 'true', 'cleanup.policy': 'delete' },
} as const
type Way = keyof typeof ways

export const switchedTopic: Wanted = {
  name: switched,
  partitions: 1,
  configs: {
    ...ways.compacted,
    'internal.segment.bytes': '1024',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '2000',
    'revision.pack.lag.ms': '200',
  },
}

const ofTopic = 2

export class Switcher {
  readonly #caller: Caller
  readonly #chance: () => number
  readonly #wrong: (what: string) => void
  readonly #right: () => void
  /** By key the last that was written, with its number. */
  readonly #newest = new Map<string, string | null>()
  #n = 0
  /** Undefined where nobody knows whether it was heard. */
  #way: Way | undefined = 'compacted'
  #isLost = false

  constructor(caller: Caller, chance: () => number, wrong: (what: string) => void, right: () => void) {
    this.#caller = caller
    this.#chance = chance
    this.#wrong = wrong
    this.#right = right
  }

  async live(): Promise<void> {
    if (this.#isLost) return
    await attempt(this.#caller, async () => {
      for (let i = 0; i < 5; i++) await this.#write()
      if (this.#chance() < 0.6) await this.#switch(this.#chance() < 0.5 ? 'compacted' : 'revised')
      await this.look()
    })
  }

  async lookAnew(): Promise<void> {
    this.#caller.close()
    await this.look()
  }

  async #write(): Promise<void> {
    const records = Array.from({ length: 1 + Math.floor(this.#chance() * 3) }, () => ({
      key: `k${Math.floor(this.#chance() * 4)}`,
      value: this.#chance() < 0.15 ? null : `${this.#n++}`.padEnd(60),
      timestamp: Date.now(),
      headers: [],
    }))
    this.#isLost = true // until it is known
    await writeOnce(this.#caller, switched, records)
    this.#isLost = false
    for (const { key, value } of records) this.#newest.set(key, value)
  }

  async #switch(way: Way): Promise<void> {
    this.#way = undefined
    const configs = Object.entries(ways[way]).map(([name, value]) => ({ name, value, configOperation: 0 }))
    const resources = [{ resourceType: ofTopic, resourceName: switched, configs }]
    await this.#caller.insist(incrementalAlterConfigs, 1, { resources, validateOnly: false }, ({ responses }) =>
      responses.map(({ errorCode }) => errorCode),
    )
    this.#way = way
  }

  /** Throws where nobody answers. */
  async look(): Promise<void> {
    await this.#lookAtWay()
    if (this.#isLost) return
    const shown = new Map<string, string | null>()
    await walk(await this.#caller.client(), { topic: switched, partition: 0 }, 0, 0, ({ key, value }) => {
      shown.set(String(key), value === null ? null : String(value))
    })
    for (const [key, value] of this.#newest) {
      const found = shown.get(key)
      if (found === value || (value === null && found === undefined)) this.#right()
      else this.#wrong(`${switched} shows ${found} as the newest of ${key}, where ${value} was written last`)
    }
  }

  async #lookAtWay(): Promise<void> {
    const keys = Object.keys(ways.compacted)
    const resources = [{ resourceType: ofTopic, resourceName: switched, configurationKeys: keys }]
    const asked = { resources, includeSynonyms: false, includeDocumentation: false }
    const { results } = await this.#caller.insist(describeConfigs, 3, asked, (told) =>
      told.results.map(({ errorCode }) => errorCode),
    )
    const found = Object.fromEntries(results[0]!.configs.map(({ name, value }) => [name, value]))
    const isOf = (way: Way): boolean => Object.entries(ways[way]).every(([name, value]) => found[name] === value)
    if (this.#way === undefined ? isOf('compacted') || isOf('revised') : isOf(this.#way)) this.#right()
    else this.#wrong(`${switched} is configured as ${JSON.stringify(found)} where it was made ${this.#way}`)
  }
}
