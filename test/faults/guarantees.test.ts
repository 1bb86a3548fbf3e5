// docs/guarantees.md names a test for every sentence: the test is there, under that name, and every mark of the table has its sentence.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
const [promised] = page.split('## What is not promised')
const sentences = [...promised!.matchAll(/^- \*\*(\w+)\*\* (.*)$/gm)].map(([, mark, text]) => ({ mark, text: text! }))

/** Names of tests as they stand in the source, quotes around them. */
const titleIn = (source: string, name: string): boolean =>
  ["'", '`', '"'].some((quote) => source.includes(`${quote}${name}${quote}`))

test('every sentence of docs/guarantees.md names tests that there are', () => {
  expect(sentences.length).toBeGreaterThan(25)
  expect(promised!.match(/^- /gm)).toHaveLength(sentences.length)
  for (const { mark, text } of sentences) {
    const named = [...text.matchAll(/`(test\/[\w/-]+\.test\.ts)` “([^”]+)”/g)]
    expect(named.length, `${mark} names no test`).toBeGreaterThan(0)
    expect(text.match(/test\/[\w/-]+\.test\.ts/g), mark).toHaveLength(named.length)
    for (const [, file, name] of named) {
      expect(existsSync(join(root, file!)), `${mark}: ${file}`).toBe(true)
      expect(titleIn(readFileSync(join(root, file!), 'utf8'), name!), `${mark}: ${file} has no test “${name}”`).toBe(
        true,
      )
    }
  }
})

test('every mark of its table has a sentence, and no two have the same', () => {
  const marks = sentences.map(({ mark }) => mark)
  expect(new Set(marks).size).toBe(marks.length)
  const used = [...page.matchAll(/\[([KPFB]\d+)\]/g)].map(([, mark]) => mark)
  expect(used.length).toBeGreaterThan(10)
  for (const mark of used) expect(marks).toContain(mark)
})
