// A program and, beside it, what V8 has compiled of it: to read that takes a fraction of the time of compiling, and the broker
// is ready in three quarters of it. Code of another V8 is not taken, nor damaged code: then the program is compiled as ever. It is
// an expression, the function of a CommonJS module, in ASCII.
//
//   checksums   uint32 big-endian each, CRC-32: of the program, of the code. V8 looks at neither
//   code        as `Script.createCachedData` gives it

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire, Module } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'
import { crc32 } from 'node:zlib'

type Loaded<Exports> = { readonly exports: Exports; readonly script: Script }
type Wrapped = (exports: object, require: NodeJS.Require, module: Module, file: string, folder: string) => void

const checksumsBytes = 8

const codePathOf = (file: string): string => `${file}.code`

/** `file`: an absolute path. Whatever it requires may require it again; it cannot `import()`. */
export function loadCompiled<Exports>(file: string): Loaded<Exports> {
  const source = readFileSync(file, 'utf8')
  const cachedData = codeOf(file, source)
  const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) })
  const module = new Module(file)
  const require = createRequire(file)
  require.cache[file] = module
  const wrapped: Wrapped = script.runInThisContext()
  wrapped(module.exports, require, module, file, dirname(file))
  return { exports: module.exports, script }
}

function codeOf(file: string, source: string): Buffer | undefined {
  try {
    const bytes = readFileSync(codePathOf(file))
    const code = bytes.subarray(checksumsBytes)
    return bytes.readUInt32BE(0) === crc32(source) && bytes.readUInt32BE(4) === crc32(code) ? code : undefined
  } catch {
    return undefined // none there, or only the beginning of one
  }
}

/** Keeps what has been compiled by now: functions that never ran are not in it. Throws what node:fs does. */
export function keepCode(file: string, script: Script): void {
  const code = script.createCachedData()
  const checksums = Buffer.alloc(checksumsBytes)
  checksums.writeUInt32BE(crc32(readFileSync(file, 'utf8')), 0)
  checksums.writeUInt32BE(crc32(code), 4)
  writeFileSync(`${codePathOf(file)}.tmp`, Buffer.concat([checksums, code]))
  renameSync(`${codePathOf(file)}.tmp`, codePathOf(file))
}
