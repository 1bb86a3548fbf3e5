// How the options of the broker say where branch sets are entered: `branch.listeners` and `branch.listeners.ports`.

import { isSetLabel } from '../branch/set-names.ts'

/** A listener of a set's own that the broker has from its start. */
export type SetAddress = { readonly set: string; readonly host: string; readonly port: number }

/** `S=127.0.0.1:9192`, `S=[::1]:9192`; undefined where the text says no such thing. */
export function setAddress(text: string): SetAddress | undefined {
  const [, set = '', bracketed, plain, port] = /^([^=]+)=(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text.trim()) ?? []
  if (!isSetLabel(set) || Number(port) > 65_535) return undefined
  return { set, host: bracketed ?? plain ?? '', port: Number(port) }
}

/** `9200` or `9200-9299`. */
export function portRange(text: string): readonly [first: number, last: number] | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim()) ?? []
  if (first === undefined) return undefined
  const range = [Number(first), Number(last)] as const
  return range[0] >= 1 && range[1] <= 65_535 && range[0] <= range[1] ? range : undefined
}

const badIn = (value: unknown, isGood: (text: string) => boolean): string | undefined =>
  (value as readonly string[] | null)?.find((text) => !isGood(text))

export function checkAddresses(value: unknown): string | undefined {
  const bad = badIn(value, (text) => setAddress(text) !== undefined)
  if (bad !== undefined) return `branch.listeners: '${bad}' is not of the form SET=HOST:PORT`
  const sets = (value as readonly string[] | null)?.map((text) => setAddress(text)!.set) ?? []
  const twice = sets.find((set, i) => sets.indexOf(set) < i)
  return twice === undefined ? undefined : `branch.listeners: the set '${twice}' has two listeners; one is enough`
}

export function checkPortRanges(value: unknown): string | undefined {
  const bad = badIn(value, (text) => portRange(text) !== undefined)
  return bad === undefined ? undefined : `branch.listeners.ports: '${bad}' is no port and no range such as 9200-9299`
}
