// Options of a program that has the broker inside, as far as types cannot know them: plain JavaScript spells them as it likes, and
// a misspelt one would put a log into memory that was meant for the disk.

import type { BrokerOptions } from './embedded.ts'

const known: Readonly<Record<keyof BrokerOptions, true>> = {
  port: true,
  listeners: true,
  brokers: true,
  storage: true,
  data: true,
  topics: true,
  config: true,
  settings: true,
  http: true,
  onRequest: true,
}
const storages = ['memory', 'mapped', 'plain']

/** The same options. Throws TypeError, which names what is wrong and what there is. */
export function checked(options: BrokerOptions): BrokerOptions {
  const strange = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (strange !== undefined) {
    throw new TypeError(`there is no option '${strange}' of a broker; there are ${Object.keys(known).join(', ')}`)
  }
  const { storage } = options
  if (typeof storage !== 'string' || storages.includes(storage)) return options
  throw new TypeError(`storage is one of ${storages.join(', ')} or a store, not '${storage}'`)
}
