#!/usr/bin/env node
// Starts a broker from the command line.

import { writeFileSync } from 'node:fs'
import { Broker } from './embedded.ts'

const args = process.argv.slice(2).filter((a) => a !== 'start')
const value = (name: string) => { const i = args.indexOf(name); return i === -1 ? undefined : args[i + 1] }
const config: Record<string, string> = {}
args.forEach((a, i) => { if (a === '--set') { const [k, v] = args[i + 1]!.split('='); config[k!] = v! } })
const data = value('--data')
const broker = await Broker.start({ port: Number(value('--port') ?? 9092), ...(data === undefined ? { storage: 'memory' as const } : { data }), config })
const ready = value('--ready-file')
if (ready !== undefined) writeFileSync(ready, `${JSON.stringify({ bootstrap: broker.bootstrapServers, pid: process.pid })}\n`)
console.log(`Kafka ${broker.bootstrapServers} ${broker.storage}`)
const stop = () => void broker.stop().then(() => process.exit(0))
process.on('SIGTERM', stop).on('SIGINT', stop)
