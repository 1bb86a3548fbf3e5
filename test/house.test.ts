// Holds the house together: which room may know which, read from the imports in the code, and how large a file may grow.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { alone } from '../vitest.config.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A room and those right below it; whatever they may know, it may know. Files at the top of src/ join rooms and know all. */
const below: Readonly<Record<string, readonly string[]>> = {
  net: ['api'],
  http: ['api'],
  cli: ['group'],
  api: ['auth', 'transaction', 'share', 'command'],
  command: ['transaction', 'branch'],
  transaction: ['group'],
  share: ['group'],
  auth: ['protocol'],
  group: ['broker'],
  broker: ['auth', 'branch', 'revision'],
  branch: ['log'],
  revision: ['log'],
  log: ['storage'],
  storage: ['protocol'],
  protocol: [],
}

/** Where a room below is known only by its types, and by these names. */
const onlyTypes: readonly { from: string; to: string; names: readonly string[] }[] = [
  { from: 'api', to: 'log', names: ['BatchRefusal'] },
  { from: 'api', to: 'storage', names: [] },
]

/** A little above what style.md wishes for, so that nobody cuts a story in two for the sake of three lines. */
const linesMax = 420
const vague = ['manager', 'helper', 'helpers', 'util', 'utils', 'data', 'info']

type Import = { target: string; names: string[]; typeOnly: boolean }
type Source = { path: string; room: string | undefined; text: string; imports: Import[] }

function filesUnder(folder: string, ending = '.ts'): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending) && !path.split('/').includes('node_modules'))
    .map((path) => `${folder}/${path}`)
    .sort()
}

function roomOf(path: string): string | undefined {
  const [top, second, third] = path.split('/')
  if (top === 'protocol') return 'protocol'
  return top === 'src' && third !== undefined ? second : undefined
}

const statement = /^(?:import|export)\s+(?:(type)\s+)?(?:([^'"]*?)\s+from\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm

function importsOf(path: string, text: string): Import[] {
  const found: Import[] = []
  for (const [, type, clause = '', target, dynamic] of text.matchAll(statement)) {
    const module = target ?? dynamic!
    if (!module.startsWith('.')) continue
    const named = /\{([^}]*)\}/s.exec(clause)?.[1]
    const names = (named?.split(',') ?? [clause]).map((name) => name.trim()).filter((name) => name !== '')
    const values = names.filter((name) => !name.startsWith('type '))
    const typeOnly = type === 'type' || (names.length > 0 && values.length === 0)
    const from = relative(root, join(root, dirname(path), module))
    found.push({ target: from, names: values.map((name) => name.split(' as ')[0]!), typeOnly })
  }
  return found
}

const sources: Source[] = [...filesUnder('protocol'), ...filesUnder('src')].map((path) => {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, room: roomOf(path), text, imports: importsOf(path, text) }
})
const tests = [...filesUnder('test'), ...filesUnder('bench')]

function reachable(room: string): Set<string> {
  const known = new Set([room])
  for (const one of known) for (const next of below[one] ?? []) known.add(next)
  return known
}

describe('rooms', () => {
  test('every file lies in a room of the house, or at the top of src where rooms are joined', () => {
    expect(sources.length).toBeGreaterThan(100)
    const lost = sources.filter(({ path, room }) =>
      room === undefined ? !/^src\/[^/]+$/.test(path) : !(room in below),
    )
    expect(lost.map(({ path }) => path)).toEqual([])
  })

  test('arrows between rooms point down', () => {
    const wrong = sources.flatMap(({ path, room, imports }) => {
      if (room === undefined) return []
      const known = reachable(room)
      return imports
        .filter(({ target }) => !known.has(roomOf(target) ?? 'the top'))
        .map(({ target }) => `${path} imports ${target}`)
    })
    expect(wrong).toEqual([])
  })

  test('some rooms are known only by their types', () => {
    const wrong = sources.flatMap(({ path, room, imports }) =>
      imports.flatMap(({ target, names, typeOnly }) => {
        const limit = onlyTypes.find(({ from, to }) => from === room && to === roomOf(target))
        if (limit === undefined || typeOnly) return []
        return names.filter((name) => !limit.names.includes(name)).map((name) => `${path} uses ${name} of ${target}`)
      }),
    )
    expect(wrong).toEqual([])
  })

  test('what is imported is there, so that no arrow is overlooked', () => {
    const known = new Set(sources.map(({ path }) => path))
    const broken = sources.flatMap(({ path, imports }) =>
      imports.filter(({ target }) => !known.has(target)).map(({ target }) => `${path} → ${target}`),
    )
    expect(broken).toEqual([])
  })

  test('no file needs itself to be loaded', () => {
    const loads = new Map(
      sources.map(({ path, imports }) => [path, imports.filter((one) => !one.typeOnly).map(({ target }) => target)]),
    )
    const cycles: string[] = []
    const done = new Set<string>()
    const visit = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' → '))
      if (done.has(path)) return
      done.add(path)
      for (const next of loads.get(path) ?? []) visit(next, [...way, path])
    }
    for (const path of loads.keys()) visit(path, [])
    expect(cycles).toEqual([])
  })
})

describe('files', () => {
  test('none is so long that nobody reads it', () => {
    const long = sources.map(({ path, text }) => [path, text.split('\n').length - 1] as const)
    expect(long.filter(([, lines]) => lines > linesMax)).toEqual([])
  })

  test('the first line of each says why it is there', () => {
    const silent = [...sources.map(({ path }) => path), ...tests].filter((path) => {
      const lines = readFileSync(join(root, path), 'utf8').split('\n')
      const first = lines[0]!.startsWith('#!') ? lines[1]! : lines[0]!
      return !/^(\/\/|\/\*\*?) ?\S/.test(first)
    })
    expect(silent).toEqual([])
  })

  test('no name is so vague that anything could be put there', () => {
    const paths = [...sources.map(({ path }) => path), ...tests]
    const named = paths.filter((path) => path.split(/[/.-]/).some((word) => vague.includes(word)))
    expect(named).toEqual([])
  })

  // It gives up after a second: that is a test of how busy the machine is.
  test('what must come is waited for by eventually, never by vi.waitFor alone', () => {
    const asking = tests.filter((path) => /\bvi\.waitFor\(/.test(readFileSync(join(root, path), 'utf8')))
    expect(asking).toEqual(['test/eventually.ts'])
  })

  test('what changes modules for all who load them has a process of its own', () => {
    const changing = tests.filter((path) =>
      /\bvi\.(mock|doMock|resetModules)\(/.test(readFileSync(join(root, path), 'utf8')),
    )
    expect(changing.length).toBeGreaterThan(0)
    expect(changing.filter((path) => !alone.some((start) => path.startsWith(start)))).toEqual([])
  })

  test('none names a place on the machine of whoever wrote it', () => {
    const places = ['work', 'home', 'root', 'Users'].map((folder) => `/${folder}/`)
    const paths = [...sources.map(({ path }) => path), ...tests]
    const found = paths.flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8')
      // Not a part of a longer path or of an address.
      return places
        .filter((place) => new RegExp(`(?<![\\w.~}/-])${place}\\w`).test(text))
        .map((place) => `${path}: ${place}`)
    })
    expect(found).toEqual([])
  })
})
