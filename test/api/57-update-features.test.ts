// UpdateFeatures: the levels that clients are told, changed and kept. The answers are those of Kafka 4.4.0.

import { expect, test } from 'vitest'
import { apiVersions } from '../../protocol/messages/18-api-versions.ts'
import { updateFeatures } from '../../protocol/messages/57-update-features.ts'
import { Features } from '../../src/broker/features.ts'
import { MetadataLog } from '../../src/broker/metadata-log.ts'
import { systemClock } from '../../src/storage/clock.ts'
import { MemoryStore } from '../../src/storage/memory-file.ts'
import { errorOf, Line } from './line.ts'

type Update = [feature: string, level: number, upgradeType?: number]
const elr = 'eligible.leader.replicas.version'

const ask = (line: Line, updates: Update[], { version = 2, validateOnly = false } = {}) =>
  line.ask(updateFeatures, version, {
    featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = 1]) => ({
      feature,
      maxVersionLevel,
      ...(version === 0 ? { allowDowngrade: upgradeType > 1 } : { upgradeType }),
    })),
    ...(version === 0 ? {} : { validateOnly }),
  })

async function told(line: Line, version = 4) {
  const software = { clientSoftwareName: 'wire', clientSoftwareVersion: '1' }
  const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = await line.ask(
    apiVersions,
    version,
    software,
  )
  return {
    supported: supportedFeatures.map(({ name, minVersion, maxVersion }) => `${name} ${minVersion}-${maxVersion}`),
    finalised: Object.fromEntries(finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
    epoch: finalizedFeaturesEpoch,
  }
}

test('a client is told what is supported and what is finalised; until version 3 nothing that begins at 0', async () => {
  await using line = await Line.open()
  const { supported, finalised } = await told(line)
  expect(supported).toContain('metadata.version 7-33')
  expect(supported).toContain(`${elr} 0-1`)
  expect(finalised).toMatchObject({ 'metadata.version': 33, 'kraft.version': 1, [elr]: 1 })
  expect((await told(line, 3)).supported).toEqual(['metadata.version 7-33'])
  expect((await told(line, 3)).finalised).toEqual(finalised)
})

test('a level goes down and up again, and the epoch grows', async () => {
  await using line = await Line.open()
  const before = await told(line)
  expect(errorOf(await ask(line, [[elr, 0, 2]], { validateOnly: true }))).toBe('NONE')
  expect(await told(line)).toEqual(before)
  expect(await ask(line, [[elr, 0, 2]], { version: 1 })).toMatchObject({
    errorCode: 0,
    errorMessage: null,
    results: [{ feature: elr, errorCode: 0, errorMessage: 'NONE' }],
  })
  const off = await told(line)
  expect(off.finalised[elr]).toBeUndefined()
  expect(off.epoch).toBeGreaterThan(before.epoch)
  expect(await ask(line, [[elr, 1]])).toMatchObject({ errorCode: 0, errorMessage: null, results: [] })
  expect((await told(line)).finalised).toEqual(before.finalised)
})

test.each<[string, number, number, string]>([
  ['nope', 1, 1, 'Invalid update version 1 for feature nope. Local controller 1 does not support this feature.'],
  ['nope', 0, 2, 'Invalid update version 0 for feature nope. Feature nope not found.'],
  [elr, 2, 1, `Invalid update version 2 for feature ${elr}. Local controller 1 only supports versions 0-1`],
  [elr, -1, 2, `Invalid update version -1 for feature ${elr}. A feature version cannot be less than 0.`],
  [elr, 0, 1, "Can't downgrade the version of this feature without setting the upgrade type"],
  [elr, 0, 0, 'The controller does not support the given upgrade type.'],
  [elr, 0, 4, 'The controller does not support the given upgrade type.'],
  ['kraft.version', 0, 2, "Can't downgrade the version of this feature."],
  ['metadata.version', 34, 1, 'Local controller 1 only supports versions 7-33'],
  ['metadata.version', 0, 3, 'Local controller 1 only supports versions 7-33'],
  ['metadata.version', 32, 2, 'Unsupported metadata.version downgrade from 33 to 32. Refusing to perform'],
  ['metadata.version', 32, 3, 'Unsafe metadata downgrade is not supported in this version.'],
])('%s to %i (%i) is refused, and all that came with it', async (feature, level, upgradeType, why) => {
  await using line = await Line.open()
  const answer = await ask(line, [
    [elr, 0, 2],
    [feature, level, upgradeType],
  ])
  expect([errorOf(answer), answer.results]).toEqual(['INVALID_UPDATE_VERSION', []])
  expect(answer.errorMessage).toContain('The update failed for all features since the following feature had an error: ')
  expect(answer.errorMessage).toContain(why)
  expect((await told(line)).finalised[elr]).toBe(1)
})

test('a level that is higher is no downgrade', async () => {
  await using line = await Line.open()
  expect(errorOf(await ask(line, [[elr, 1, 2]]))).toBe('NONE')
  expect(errorOf(await ask(line, [[elr, 0, 2]]))).toBe('NONE')
  for (const type of [2, 3]) {
    const answer = await ask(line, [[elr, 1, type]])
    expect(errorOf(answer)).toBe('INVALID_UPDATE_VERSION')
    expect(answer.errorMessage).toContain("Can't downgrade to a newer version.")
  }
  expect(errorOf(await ask(line, [[elr, 1, 1]]))).toBe('NONE')
})

test('version 0 knows upgrades only, whatever it allows', async () => {
  await using line = await Line.open()
  expect(errorOf(await ask(line, [[elr, 0, 2]], { version: 0 }))).toBe('INVALID_UPDATE_VERSION')
  expect(errorOf(await ask(line, [[elr, 1]], { version: 0 }))).toBe('NONE')
})

test('a level outlives the broker', async () => {
  const store = new MemoryStore()
  const first = new MetadataLog(store, systemClock)
  await new Features(first).finalise([{ name: elr, level: 0, upgradeType: 2 }])
  await first.close()
  expect(new Features(new MetadataLog(store, systemClock)).level(elr)).toBe(0)
})
