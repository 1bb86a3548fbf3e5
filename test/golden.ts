// Runs a folder of golden vectors: decode → equal JSON, encode → equal bytes, with the compiled codec and with the
// interpreter; record batches decode. `npm run golden -- DIR`; ends with `N passed, N failed, N skipped`.
// Line format: `{api, apiKey, type, version, n, json, hex, unknownTags?}`, gzip JSONL; `json` is Kafka's JSON view with
// int64 as decimal strings, bytes as base64, ids as URL-safe base64, and tagged fields at their default left out.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { compile } from '../protocol/compile.ts'
import { requestHeader, responseHeader } from '../protocol/header.ts'
import { interpret } from '../protocol/interpret.ts'
import { messages } from '../protocol/messages/index.ts'
import * as otherTables from '../protocol/other-tables.ts'
import { Reader } from '../protocol/reader.ts'
import { type Field, type Fields, has, isDefault, isTagged, type Table } from '../protocol/schema.ts'
import { Writer } from '../protocol/writer.ts'
import { describeBatches } from './golden-records.ts'

type Line = {
  api: string
  apiKey?: number
  type: string
  version: number
  n: number
  json: unknown
  hex: string
  name?: string
  batches?: unknown
  validBytes?: number
}

/** Reads int64 exactly: a bigint where a number would round. */
class ExactReader extends Reader {
  override int64(): number {
    const value = (BigInt(this.int32()) << 32n) | BigInt(this.uint32())
    const asNumber = Number(value)
    return (Number.isSafeInteger(asNumber) ? asNumber : value) as number
  }
}

class ExactWriter extends Writer {
  override int64(value: number | bigint): void {
    if (typeof value === 'bigint') this.bigint64(value)
    else super.int64(value)
  }
  protected override aside(): Writer {
    return new ExactWriter()
  }
}

const tables = new Map<string, Table>()
for (const { key, request, response } of messages) {
  tables.set(`${key} request`, request)
  tables.set(`${key} response`, response)
}
for (const table of [requestHeader, responseHeader, ...Object.values(otherTables)])
  tables.set(table.name, table as Table)

type AnyField = Field<unknown, boolean>
type Values = { [name: string]: unknown; unknownTags?: unknown }

function fieldJson(field: AnyField, value: unknown, version: number): unknown {
  if (value === null) return null
  switch (field.kind) {
    case 'int64':
      return String(value)
    case 'bytes':
    case 'records':
      return (value as Buffer).toString('base64')
    case 'array':
      return (value as unknown[]).map((element) => fieldJson(field.element!, element, version))
    case 'struct':
      return structJson(field.fields!, value as Values, version)
    default:
      return value
  }
}

function structJson(fields: Fields, values: Values, version: number): unknown {
  const json: { [name: string]: unknown } = {}
  for (const [name, field] of Object.entries(fields)) {
    if (!has(field.versions, version)) continue
    if (isTagged(field, version) && isDefault(field, values[name])) continue
    json[name] = fieldJson(field, values[name], version)
  }
  return json
}

function fault(line: Line): string | undefined {
  const bytes = Buffer.from(line.hex, 'hex')
  const table = tables.get(line.apiKey === undefined ? line.api : `${line.apiKey} ${line.type}`)!
  for (const make of [compile, interpret]) {
    const codec = make(table, line.version)
    const reader = new ExactReader(bytes)
    const message = codec.read(reader)
    reader.end()
    const json = structJson(table.fields, message as Values, line.version)
    if (!isDeepStrictEqual(json, line.json)) return `${make.name}: decoded ${JSON.stringify(json)}`
    const writer = new ExactWriter()
    codec.write(writer, message)
    if (!writer.bytesWritten().equals(bytes)) return `${make.name}: encoded ${writer.bytesWritten().toString('hex')}`
    // In production int64 beyond 2^53 is rounded, so only the length can be the same: and not even that where a value
    // rounds to a tagged field's default.
    if (/"92233720368547758\d\d"/.test(JSON.stringify(line.json))) continue
    const plain = new Writer()
    codec.write(plain, codec.read(new Reader(bytes)))
    if (plain.length !== bytes.length) return `${make.name}: the rounded message has ${plain.length} bytes`
  }
  return undefined
}

function recordsFault(line: Line): string | undefined {
  const bytes = Buffer.from(line.hex, 'hex')
  const { batches, validBytes } = describeBatches(bytes)
  if (validBytes !== line.validBytes) return `valid bytes ${validBytes}`
  return isDeepStrictEqual(batches, line.batches) ? undefined : `batches ${JSON.stringify(batches).slice(0, 400)}`
}

type Counts = { passed: number; failed: number; skipped: number }
export type GoldenResult = Counts & { faults: string[]; files: Map<string, Counts> }

export function runGolden(folder: string): GoldenResult {
  const result: GoldenResult = { passed: 0, failed: 0, skipped: 0, faults: [], files: new Map() }
  for (const file of readdirSync(folder).sort()) {
    if (!/\.jsonl(\.gz)?$/.test(file)) continue
    const before = { ...result }
    const content = readFileSync(join(folder, file))
    const text = (file.endsWith('.gz') ? gunzipSync(content) : content).toString('utf8')
    for (const row of text.split('\n')) {
      if (row === '') continue
      const line = JSON.parse(row) as Line
      if (line.apiKey !== undefined && !tables.has(`${line.apiKey} ${line.type}`)) {
        result.skipped++
        continue
      }
      let found: string | undefined
      try {
        found = line.type === 'records' ? recordsFault(line) : fault(line)
      } catch (error) {
        found = String(error)
      }
      if (found === undefined) result.passed++
      else {
        result.failed++
        result.faults.push(`${file} ${line.type} v${line.version ?? ''} n${line.n} ${line.name ?? ''}: ${found}`)
      }
    }
    result.files.set(file, {
      passed: result.passed - before.passed,
      failed: result.failed - before.failed,
      skipped: result.skipped - before.skipped,
    })
  }
  return result
}

if (process.argv[1]?.endsWith('golden.js')) {
  const folder = process.argv[2]
  if (folder === undefined) {
    console.error('usage: npm run golden -- DIR   (DIR holds *.jsonl.gz vectors, e.g. test/golden)')
    process.exit(2)
  }
  const { passed, failed, skipped, faults } = runGolden(folder)
  for (const text of faults.slice(0, 50)) console.error(text.slice(0, 2000))
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1
}
