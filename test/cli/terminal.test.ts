// Questions at a terminal, and those who go without an answer.

import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { confirm } from '../../src/cli/terminal.ts'

async function answered(say: (input: PassThrough) => void): Promise<{ yes: boolean; shown: string }> {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const asked = confirm('Merge?', input, output)
  say(input)
  const yes = await asked
  return { yes, shown: String(output.read()) }
}

test.each([
  ['y\n', true],
  [' Yes \n', true],
  ['n\n', false],
  ['\n', false],
  ['yet\n', false],
])('%j means %s', async (line, yes) => {
  expect(await answered((input) => input.write(line))).toEqual({ yes, shown: 'Merge? [y/N] ' })
})

// Ctrl-D: the command never came back.
test('an end is a no, and the next line begins anew', async () => {
  expect(await answered((input) => input.end())).toEqual({ yes: false, shown: 'Merge? [y/N] \n' })
})
