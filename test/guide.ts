// Runs guides as they are written: every story on a fresh broker, block after block, and what is printed must be what the guide
// says. A `…` stands for whatever differs from run to run.
//
//   ```sh run              a command of every reader's          ```js file=a.js   a file
//   ```sh run=java         where there is java                  ```sh get=java    brings what java needs; where that fails (no
//   ```text                what the block before prints                           network), the blocks of java are left out

import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Broker } from '../src/index.ts'
import { built } from './built.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Where a guide's broker listens; ours takes what is free. */
const written = '127.0.0.1:9092'

type Block = {
  language: string
  does: 'run' | 'get' | 'file'
  /** A file, or whose block it is. */
  of: string | undefined
  text: string
  printed: string | undefined
}
type Story = { title: string; blocks: Block[] }

export const readGuide = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')

/** The `sh run` blocks of a page without stories, and what each prints where the page says it. */
export const scriptsOf = (page: string): { script: string; printed: string | undefined }[] =>
  [...page.matchAll(/^```sh run\n(.*?)^```\n(?:```text\n(.*?)^```$)?/gms)].map(([, script, printed]) => ({
    script: script!,
    printed,
  }))

/** Runs a script by bash, which ends it at the first command that fails; what it says to standard output. */
export async function runScript(script: string, options: SpawnOptions) {
  const { code, stdout: printed } = await run('bash', ['-eu', '-o', 'pipefail', '-c', script], options)
  return { code, printed }
}

function storiesOf(text: string): Story[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => ({ title: section.split('\n', 1)[0]!, blocks: blocksOf(section) }))
    .filter(({ blocks }) => blocks.length > 0)
}

/** Those that are run or written into files; a text right behind one is what it prints. */
function blocksOf(section: string): Block[] {
  const fences = section.matchAll(/^```(\w+) (run|get|file)(?:=(\S+))?\n(.*?)^```\n(?:```text\n(.*?)^```$)?/gms)
  return [...fences].map(([, language, does, of, text, printed]) => ({
    language: language!,
    does: does as Block['does'],
    of,
    text: text!,
    printed,
  }))
}

/** The programs behind the names of blocks. */
const programs: Readonly<Record<string, readonly string[]>> = {
  python: ['python3'],
  java: ['java', 'mvn'],
  rust: ['cargo'],
  javascript: ['npm'],
}

const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0

/** Makes a folder what a reader's is, with twiglog and a client installed; gives the environment of its commands. */
async function settle(folder: string, port: number): Promise<NodeJS.ProcessEnv> {
  const main = await built('bundle/main.js')
  const bin = join(folder, 'node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(root, join(folder, 'node_modules', 'twiglog'), 'dir')
  for (const name of ['kafkajs', 'vitest']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'dir')
  }
  const command = (name: string, line: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' ${line}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  command('twiglog', `'${main}' "$@" --bootstrap 127.0.0.1:${port}`)
  command('vitest', `'${join(root, 'node_modules/vitest/vitest.mjs')}' "$@"`)
  const kept = Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV|FORCE_COLOR)/.test(name))
  const path = `${bin}${delimiter}${process.env['PATH']}`
  return { ...Object.fromEntries(kept), PATH: path, NO_COLOR: '1', KAFKAJS_NO_PARTITIONER_WARNING: '1' }
}

function run(command: string, args: readonly string[], options: SpawnOptions) {
  const child = spawn(command, args, { timeout: 50_000, ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text) => {
    stdout += text
  })
  child.stderr.on('data', (text) => {
    stderr += text
  })
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

/** What a guide says is printed, as a pattern. */
export const patternOf = (printed: string): RegExp => {
  const parts = printed.trimEnd().split('…')
  return new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`)
}

const withoutTail = (text: string) => text.replace(/[ \t]+$/gm, '').trimEnd()

const hasKcat = has('kcat')

/** One test a story. */
export function playGuide(name: string): void {
  // Every block is a process or several, and other tests run beside.
  describe.skipIf(!hasKcat)(`docs/${name}`, { timeout: 180_000 }, () => {
    test.each(storiesOf(readGuide(name)))('$title', async ({ blocks }) => {
      const folder = mkdtempSync(join(tmpdir(), 'twiglog-guide-'))
      const broker = await Broker.start({ data: join(folder, 'data') })
      try {
        await playBlocks(blocks, folder, broker)
      } finally {
        await broker.stop()
        rmSync(folder, { recursive: true, force: true })
      }
    })
  })
}

async function playBlocks(blocks: readonly Block[], folder: string, broker: Broker): Promise<void> {
  const env = await settle(folder, Number(broker.bootstrapServers.split(':')[1]))
  const missing = new Set<string>()
  for (const [i, { language, does, of, text, printed }] of blocks.entries()) {
    const here = text.replaceAll(written, broker.bootstrapServers)
    if (does === 'file') {
      const file = join(folder, of!)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, here)
      continue
    }
    if (of !== undefined && !(programs[of] ?? [of]).every(has)) missing.add(of)
    if (of !== undefined && missing.has(of)) continue
    const script = join(folder, language === 'js' ? `block-${i}.js` : `block-${i}.sh`)
    writeFileSync(script, here)
    const outcome =
      language === 'js'
        ? await run(process.execPath, [script], { cwd: folder, env })
        : await run('bash', ['-eu', '-o', 'pipefail', script], { cwd: folder, env })
    if (does === 'get' && outcome.code !== 0) {
      console.warn(`${of} is left out: ${outcome.stderr.trim().split('\n').at(-1)}`)
      missing.add(of!)
      continue
    }
    expect(outcome, `${text}\n${outcome.stdout}\n${outcome.stderr}`).toMatchObject({ code: 0 })
    if (printed !== undefined) expect(withoutTail(outcome.stdout)).toMatch(patternOf(withoutTail(printed)))
  }
}
