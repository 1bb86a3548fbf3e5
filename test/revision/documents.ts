// Documents as applications keep them, revision after revision: what sizes of packs are measured with.

import { type Draw, noise } from './delta-pairs.ts'

const words = ['paid', 'open', 'shipped', 'Berlin', 'Genève', 'Łódź', 'invoice', 'amount', 'express', 'returned']

/** A JSON document of about `length` bytes: an order with its lines, each with texts and numbers of its own. */
export function order(draw: Draw, length: number): Record<string, unknown> {
  const made = {
    id: draw(1e9),
    version: 1,
    status: 'open',
    updatedAt: 1_700_000_000_000,
    total: 0,
    lines: [] as unknown[],
  }
  for (let size = 120; size < length; ) {
    const line = {
      sku: noise(draw, 6).toString('hex'),
      name: `${words[draw(10)]} ${words[draw(10)]} ${draw(1e5)}`,
      amount: draw(1e6) / 100,
      place: words[draw(10)],
      done: draw(2) === 0,
    }
    made.lines.push(line)
    size += JSON.stringify(line).length + 1
  }
  return made
}

/** A small edit: version and time go on, a member or two of some line change. */
export function changeOrder(draw: Draw, order: Record<string, unknown>): void {
  order['version'] = (order['version'] as number) + 1
  order['updatedAt'] = (order['updatedAt'] as number) + draw(1e7)
  const lines = order['lines'] as Record<string, unknown>[]
  const line = lines[draw(lines.length)]!
  if (draw(2) === 0) line['amount'] = draw(1e6) / 100
  else line['name'] = `${words[draw(10)]} ${words[draw(10)]} ${draw(1e5)}`
  if (draw(3) === 0) order['status'] = words[draw(4)]
}

export const bytesOf = (order: Record<string, unknown>): Buffer => Buffer.from(JSON.stringify(order))

/** Revisions of `keyCount` documents in an order by chance, as [key, value]. */
export function revisions(draw: Draw, keyCount: number, each: number, length: number): [key: string, value: Buffer][] {
  const orders = Array.from({ length: keyCount }, () => order(draw, length))
  const turns = Array.from({ length: keyCount * each }, (_, i) => i % keyCount)
  for (let i = turns.length - 1; i > 0; i--) {
    const other = draw(i + 1)
    const turn = turns[i]!
    turns[i] = turns[other]!
    turns[other] = turn
  }
  return turns.map((key) => {
    const value = bytesOf(orders[key]!)
    changeOrder(draw, orders[key]!)
    return [`order-${key}`, value]
  })
}
