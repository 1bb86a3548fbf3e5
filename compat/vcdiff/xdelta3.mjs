// The peer that is xdelta3, the program: one process for each pair and direction. $XDELTA3 names it where it is not on PATH.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { play } from './node/pairs.mjs'

const folder = mkdtempSync(`${tmpdir()}/twiglog-xdelta3-`)
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

function xdelta3(args, source, input) {
  writeFileSync(`${folder}/source`, source)
  writeFileSync(`${folder}/input`, input)
  const files = ['-s', `${folder}/source`, `${folder}/input`, `${folder}/output`]
  const { status, stderr } = spawnSync(process.env.XDELTA3 ?? 'xdelta3', ['-f', ...args, ...files])
  if (status !== 0) throw new Error(`${status}: ${stderr}`)
  return readFileSync(`${folder}/output`)
}

play(
  (source, delta) => xdelta3(['-d'], source, delta),
  // No checksum, no header, no secondary compressor, and a window that holds each of the values.
  (source, target) => xdelta3(['-e', '-n', '-A', '-S', 'none', '-W', '8388608'], source, target),
)
