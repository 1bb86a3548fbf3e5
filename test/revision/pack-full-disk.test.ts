// A real disk that is full when the packer begins: everything stays readable, packs among it, the broker's output names the file, and what
// was closed is packed when there is room again. (Every refusal of a disk of ours: pack-crash.test.ts.)

import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ChildStage } from '../branch/child-stage.ts'
import { eventually } from '../eventually.ts'
import { canMount, fillUp, type SmallDisk, smallDisk } from '../small-disk.ts'
import { drawing, noise } from './delta-pairs.ts'

const isPossible = canMount()
if (!isPossible) console.log('pack-full-disk: no small file system may be mounted here, so this is skipped')

let stage: ChildStage
let disk: SmallDisk
afterEach(async () => {
  await stage.broker.end('SIGKILL')
  disk.remove()
  await stage.close()
})

/** No two of them have anything in common: their pack is half as large as they are. */
const valuesOf = (seed: number) =>
  Array.from({ length: 80 }, (_, i) => noise(drawing(100 * seed + i), 30_000).toString('hex'))

const configs = { 'revision.diff': 'true', 'segment.bytes': '1048576' }
const entriesOf = (of: Record<string, string>) => Object.entries(of).map(([name, value]) => ({ name, value }))

async function write(topic: string, lagMs: number, values: readonly string[]): Promise<void> {
  const configEntries = entriesOf({ ...configs, 'revision.pack.lag.ms': String(lagMs) })
  await stage.withAdmin((admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] }))
  for (const [i, value] of values.entries()) await stage.sendAll(topic, [{ key: `${i % 7}`, value, partition: 0 }])
}

async function read(topic: string, count: number): Promise<string[]> {
  const found: string[] = []
  await stage.readEach(topic, (_, { offset, value }) => {
    expect(Number(offset)).toBe(found.length)
    found.push(String(value))
    return found.length === count
  })
  return found
}

const filesOf = (ending: string) =>
  readdirSync(join(stage.broker.data, 'topics'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(ending),
  )

test.runIf(isPossible)(
  'a disk that is full while the packer works costs nothing, and what was closed is packed when there is room',
  {
    timeout: 300_000,
  },
  async () => {
    stage = await ChildStage.open([], [], ({ data }) => {
      mkdirSync(data)
      disk = smallDisk(24, data)!
    })
    const [packed, closed] = [valuesOf(1), valuesOf(2)]
    await write('packed', 0, packed)
    await eventually(() => expect([filesOf('.pack').length > 0, filesOf('.log').length]).toEqual([true, 1]))
    await read('packed', packed.length)
    await write('docs', 3_600_000, closed)
    const before = filesOf('.pack').length
    fillUp(disk, 'ballast')
    // Room for a configuration and a consumer group, and not for a pack.
    const ballast = () => readdirSync(disk.path).filter((name) => name.startsWith('ballast'))
    rmSync(join(disk.path, ballast().find((name) => name.startsWith(`ballast-${1 << 20}`))!))
    const configEntries = entriesOf({ ...configs, 'revision.pack.lag.ms': '0' })
    await stage.withAdmin((admin) =>
      admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: 'docs', configEntries }] }),
    )
    await eventually(() =>
      expect(stage.broker.complaints).toMatch(/^Packing of docs-0: .*topics\/[^ ]*\.pack\.[0-9a-f]+\.tmp.*ENOSPC/m),
    )
    expect(await read('docs', closed.length)).toEqual(closed)
    expect(await read('packed', packed.length)).toEqual(packed)
    expect(filesOf('.pack').length).toBe(before)

    for (const name of ballast()) rmSync(join(disk.path, name))
    await eventually(() => expect([filesOf('.pack').length > before, filesOf('.tmp').length]).toEqual([true, 0]))
    expect(await read('docs', closed.length)).toEqual(closed)
    await stage.broker.end('SIGTERM')
    stage.broker.expectSound()
  },
)
