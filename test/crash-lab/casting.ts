// The clients that play: KafkaJS always, from what is built; of other languages the hands of compat/ where their toolchains
// are there, made ready by a process of compat's own.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HandProcess } from '../../compat/hand-process.ts'

export type Client = { readonly name: string; readonly command: readonly string[]; readonly cwd: string }

export const clientNames = ['kafkajs', 'java', 'confluent', 'franz'] as const
const readyMs = 600_000

/** Where this repository lies, from dist/test/crash-lab. */
const root = fileURLToPath(new URL('../../..', import.meta.url))
export const builtBroker = join(root, 'dist/bundle/main.js')

/** Those of the names that can be had; a word for each of the others. */
export function cast(names: readonly string[]): { clients: Client[]; absent: string[] } {
  const kafkajs = join(root, 'dist/compat/node/kafkajs.js')
  const clients: Client[] = [{ name: 'kafkajs', command: [process.execPath, kafkajs], cwd: root }]
  const absent: string[] = []
  const compat = join(root, 'compat')
  for (const name of names.filter((each) => each !== 'kafkajs')) {
    if (!existsSync(join(compat, 'node_modules/@tapjs/typescript'))) {
      absent.push(`${name} (compat/ is not installed: npm run compat does)`)
      continue
    }
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import=@tapjs/typescript/import', 'ready.ts', name],
      { cwd: compat, encoding: 'utf8', timeout: readyMs, env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' } },
    )
    if (status === 0) clients.push({ name, ...(JSON.parse(stdout) as Omit<Client, 'name'>) })
    else absent.push(`${name} (${stderr.trim().split('\n').at(-1)})`)
  }
  return { clients, absent }
}

/** A client's process, started again where it has ended. */
export class Player {
  readonly client: Client
  readonly #bootstrap: string
  #hand: HandProcess | undefined
  #isOver = false

  constructor(client: Client, bootstrap: string) {
    this.client = client
    this.#bootstrap = bootstrap
  }

  async hand(): Promise<HandProcess> {
    if (this.#isOver) throw new Error('the play is over')
    if (this.#hand === undefined || this.#hand.isOver) {
      const { command, cwd } = this.client
      this.#hand = await HandProcess.start(command, this.#bootstrap, cwd)
    }
    return this.#hand
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#hand?.kill()
  }
}
