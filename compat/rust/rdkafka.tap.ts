// rust-rdkafka, played through its hand. It wants the librdkafka of the system, as the C hand does.
import t from 'tap'
import { playClient } from '../play.ts'
import { missing, run } from '../process.ts'
import { rustHand } from './build.ts'

const needs = ['cargo', 'pkg-config']
const absent = missing(...needs)
const found = absent ? undefined : await run('pkg-config', ['--exists', 'rdkafka'])
if (found?.code === 0) {
  const prepare = () => rustHand('rdkafka', ['rdkafka'])
  await playClient({ name: 'rust-rdkafka', needs, prepare, from: import.meta.url })
} else t.plan(0, absent || 'pkg-config finds no rdkafka (librdkafka-dev)')
