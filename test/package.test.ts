// What npm hands out: whoever reads its pages finds what they lead to.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { built } from './built.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const { files } = JSON.parse(read('package.json')) as { files: string[] }

const isIn = (path: string) => files.some((name) => path === name || path.startsWith(`${name}/`))

/** Links of a page to other files, seen from the root. */
function linksOf(page: string): string[] {
  const words = read(page).replace(/```.*?```/gs, '')
  const links = [...words.matchAll(/\]\(([^)#\s]+)/g)].map(([, link]) => link!)
  return links.filter((link) => !/^\w+:/.test(link)).map((link) => normalize(join(dirname(page), link)))
}

test('a page of the package links to what is in the package', () => {
  const docs = readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)
  const pages = [...files.filter((name) => name.endsWith('.md')), ...docs]
  expect(pages.length).toBeGreaterThan(8)
  const dead = pages.flatMap((page) =>
    linksOf(page)
      .filter((link) => !isIn(link))
      .map((link) => `${page} → ${link}`),
  )
  expect(dead).toEqual([])
  expect(files.filter((name) => !name.startsWith('!') && name !== 'dist' && !existsSync(join(root, name)))).toEqual([])
})

// A file that is CommonJS to TypeScript may require what Node lets it require.
test('who requires the package finds every name that who imports it finds', async () => {
  const types = readFileSync((await built('bundle/index.js')).replace(/js$/, 'd.cts'), 'utf8')
  const declared = new Set([...types.matchAll(/^export (?:declare const|type) (\w+)/gm)].map(([, name]) => name))
  const exported = [...read('src/index.ts').matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names]) =>
    names!.split(',').map((name) => name.replace('type ', '').trim()),
  )
  expect([...declared].sort()).toEqual(exported.filter((name) => name !== '').sort())
})

// TypeScript looks there with `moduleResolution: node`, which is the usual one with ts-jest, and found no types at all.
test('who reads no exports finds the same types', () => {
  const { exports, types, typesVersions } = JSON.parse(read('package.json')) as {
    exports: Record<string, { types: string; require?: { types: string } }>
    types: string
    typesVersions: { '*': Record<string, string[]> }
  }
  const named = Object.entries(exports).map(([name, { require, types }]) => [name.slice(2), require?.types ?? types])
  const elsewhere = Object.entries(typesVersions['*']).map(([name, [path]]) => [name, `./${path}`])
  expect([['', `./${types}`], ...elsewhere].sort()).toEqual(named.sort())
})
