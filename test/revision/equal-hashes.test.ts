// R29 over the wire: every key has the hash of every other, in the index, in packs and in what outlives both.

import { expect, test, vi } from 'vitest'
import { Pack } from '../../src/revision/pack.ts'
import { CountingStore } from './counting-store.ts'
import { Packs, revisionOf, type Seen } from './packs.ts'
import { trim, view } from './stage.ts'

vi.mock('../../src/revision/key-hash.ts', () => ({ hashKey: () => 7 }))

const keys = ['one', 'two', 'three', 'four', 'five']

test('R29: keys whose hashes are equal never mix, packed or not, after a start and behind what was deleted', async () => {
  await using packs = await Packs.open(new CountingStore(), { http: true })
  const { stage } = packs
  await packs.create('docs')
  const all: Seen[] = []
  const write = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const messages = keys.flatMap((key, k) => {
        // Not all of them each time, or numbers and offsets would tell the same.
        const value = revisionOf(key, all.length + k)
        return (i + k) % 3 === 0 ? [] : [{ key, value, timestamp: '1000' }]
      })
      all.push(...(await packs.send('docs', messages)))
    }
  }
  let views = 0
  const check = async (from = 0) => {
    for (const key of keys) {
      const name = `only-${views++}`
      await view(stage, 'docs', 'history', name, { 'view.key': key })
      const expected = all.flatMap((one, i) => {
        const rev = all.slice(0, i + 1).filter((other) => other.key === key).length
        return one.key === key && one.offset >= from ? [[one.offset, key, one.value, rev]] : []
      })
      const found = await packs.read(name, expected.length)
      const revOf = ({ headers }: Seen) => Number((JSON.parse(headers) as { rev: string }).rev)
      expect(found.map((one) => [one.offset, one.key, one.value, revOf(one)])).toEqual(expected)
      const answer = await fetch(`${stage.broker.httpUrl}/topics/docs/keys/${key}/info`)
      expect(await answer.json()).toMatchObject({ key, offset: expected.at(-1)![0] })
    }
    const nobody = await fetch(`${stage.broker.httpUrl}/topics/docs/keys/nobody`)
    expect(nobody.status).toBe(404)
    const state = `state-${views++}`
    await view(stage, 'docs', 'state', state)
    const newest = keys.map((key) => all.findLast((one) => one.key === key)!)
    const shown = (await packs.read(state, keys.length)).map(({ offset, key, value }) => [offset, key, value])
    expect(shown).toEqual(
      newest.map(({ offset, key, value }) => [offset, key, value]).sort(([a], [b]) => Number(a) - Number(b)),
    )
  }
  await write(6)
  await check()
  await packs.packed()
  const pack = Pack.open(packs.store.open((await packs.files()).find((path) => path.endsWith('.pack'))!, 0))
  expect([...pack.keys().hashes]).toEqual(keys.map(() => 7))
  pack.close()
  await check()
  await write(3)
  await stage.restart()
  await check()
  await packs.packed()
  await trim(stage, 'docs', 8)
  await write(2)
  await check(8)
})
