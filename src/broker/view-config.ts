// What the configurations of a view mean, and what stands against them.

import { fromBase64 } from '../../protocol/base64.ts'
import { Refusal } from '../../protocol/errors.ts'
import { type ForkPoint, parseForkPoint } from '../branch/fork-point.ts'
import { parseWhere } from '../revision/json-scalars.ts'
import { type ViewConfig, type ViewKind, viewKinds } from '../revision/view-config.ts'

type Overrides = ReadonlyMap<string, string>

const refuse = (message: string): Refusal => new Refusal('INVALID_CONFIG', message)
const isOfViews = (name: string): boolean => name.startsWith('view.')
const isOfRecords = (name: string): boolean => name.startsWith('branch.') || name.startsWith('revision.')
/** What says how long records are kept. */
const isOfKeeping = (name: string): boolean => name.includes('retention.') || name === 'cleanup.policy'

export const usesViewNames = (configs: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(configs).some(isOfViews)

/** Takes overrides that refuseViewValues has passed; undefined where they are those of an ordinary topic. */
export function viewConfigOf(overrides: Overrides): ViewConfig | undefined {
  const of = overrides.get('view.of')?.trim()
  if (of === undefined) return undefined
  const offsets = overrides.get('view.offsets')
  const fixed = offsets === undefined ? undefined : parseForkPoint(`offsets:${offsets}`)
  const at = fixed !== undefined && 'offsets' in fixed ? fixed.offsets : undefined
  const where = overrides.get('view.where')
  return {
    of,
    kind: overrides.get('view.kind')!.trim() as ViewKind,
    // Partitions that came later had nothing yet.
    below: at === undefined ? () => Number.POSITIVE_INFINITY : (partition) => at.get(partition) ?? 0,
    key: keyOf(overrides),
    where: where === undefined ? undefined : parseWhere(where),
    ttlMs: Number(overrides.get('view.ttl.ms') ?? -1),
  }
}

/** To the letter: blanks belong to a key. */
function keyOf(overrides: Overrides): Buffer | undefined {
  const text = overrides.get('view.key')
  if (text !== undefined) return Buffer.from(text)
  const base64 = overrides.get('view.key.base64')
  return base64 === undefined ? undefined : (fromBase64(base64.trim()) ?? Buffer.alloc(0))
}

/** What stands against overrides of a view, or against single ones of them that come without the others. */
export function refuseViewValues(overrides: Overrides): Refusal | undefined {
  const [name] = [...overrides.keys()].filter(isOfViews)
  if (name === undefined) return undefined
  if (!overrides.has('view.of')) return refuse(`${name} is about a view: say with view.of which topic it shows.`)
  if (!overrides.has('view.kind')) return refuse(`view.kind is missing; it is one of ${viewKinds.join(', ')}.`)
  const isState = overrides.get('view.kind')?.trim() === 'state'
  const foreign = isState ? ['view.key', 'view.key.base64', 'view.where'] : ['view.at']
  const misplaced = foreign.find((one) => overrides.has(one))
  if (misplaced !== undefined) {
    const kinds = isState ? 'history, diff and list' : 'state'
    return refuse(`${misplaced} is for view.kind ${kinds}, not for ${overrides.get('view.kind')}: leave it out.`)
  }
  const other = [...overrides.keys()].find(isOfRecords)
  if (other !== undefined) return refuse(`${other} is not for a view: it has no records of its own. Leave it out.`)
  const keeping = [...overrides.keys()].find(isOfKeeping)
  if (keeping !== undefined) {
    const instead = `it shows what '${overrides.get('view.of')}' keeps. Set it there; view.ttl.ms removes the view itself.`
    return refuse(`${keeping} is not for a view: ${instead}`)
  }
  if (overrides.has('view.key') && overrides.has('view.key.base64')) {
    return refuse('view.key and view.key.base64 are two ways to say one thing: give one of them.')
  }
  return refuseKey(overrides.get('view.key.base64')) ?? refuseWhere(overrides.get('view.where')) ?? refuseAt(overrides)
}

function refuseKey(base64: string | undefined): Refusal | undefined {
  const isGood = base64 === undefined || fromBase64(base64.trim()) !== undefined
  return isGood ? undefined : refuse(`view.key.base64=${base64} is no base64.`)
}

function refuseWhere(text: string | undefined): Refusal | undefined {
  if (text === undefined || parseWhere(text) !== undefined) return undefined
  return refuse(`view.where=${text}: write a JSON Pointer, = and a value, such as /status=paid.`)
}

export type ViewPoint = Exclude<ForkPoint, { kind: 'earliest' | 'group' }>

/** `view.at`, where it says something. */
export function viewPointOf(text: string): ViewPoint | Refusal {
  const point = parseForkPoint(text.trim())
  if (!(point instanceof Refusal) && point.kind !== 'earliest' && point.kind !== 'group') return point
  return refuse(`view.at=${text}: write latest, offset:N, offsets:0=N,1=M or timestamp:<ms or ISO-8601>.`)
}

function refuseAt(overrides: Overrides): Refusal | undefined {
  const text = overrides.get('view.at')
  const point = text === undefined ? undefined : viewPointOf(text)
  return point instanceof Refusal ? point : undefined
}
