// The sum of what the runners reported, after a line for all that failed: node .ci/sum.mjs REPORTS STATUS
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [reports, status] = process.argv.slice(2)
const sum = { passed: 0, failed: 0, skipped: 0 }
const textOf = (file) => (existsSync(`${reports}/${file}`) ? readFileSync(`${reports}/${file}`, 'utf8') : '')
const failure = (what) => console.log(`not ok - ${what}`)

vitest()
for (const file of ['golden.txt', 'compat.txt', 'vcdiff.txt', 'crash-lab.txt']) runner(file)
if (Number(status) !== 0 && sum.failed === 0) {
  sum.failed++ // a check that counts nothing has failed
  failure('a check, see above')
}
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1

/** What failed at first and was played once more counts as it ended then. */
function vitest() {
  const first = reportOf('vitest.json')
  if (first === undefined) {
    sum.failed++
    failure('the tests left no report')
    return
  }
  const laterOf = new Map((reportOf('again.json')?.testResults ?? []).map((file) => [file.name, file]))
  for (const file of first.testResults) {
    const ended = laterOf.get(file.name) ?? file
    if (ended !== file) {
      console.log(`# ${relative(process.cwd(), file.name)} failed at first; played alone: ${ended.status}`)
      // A seed that is named here is a bug that another seed did not meet.
      for (const { status: of, failureMessages } of file.assertionResults)
        if (of === 'failed') console.log(`#   ${(failureMessages?.[0] ?? '').slice(0, 600).replaceAll('\n', '\n#   ')}`)
    }
    for (const { status: of } of ended.assertionResults) {
      if (of === 'passed') sum.passed++
      else if (of !== 'failed') sum.skipped++
    }
    const failed = ended.assertionResults.filter((test) => test.status === 'failed')
    // A file that cannot even be loaded has no tests to count.
    if (ended.status === 'failed' && failed.length === 0) failed.push({ fullName: ended.message })
    for (const { fullName, failureMessages = [] } of failed) {
      sum.failed++
      failure(`${relative(process.cwd(), file.name)}: ${fullName}: ${(failureMessages[0] ?? '').slice(0, 600)}`)
    }
  }
  if (!first.success && first.testResults.every((file) => file.status !== 'failed')) {
    sum.failed++
    failure('vitest failed outside of its tests')
  }
}

/** Undefined where there is none, or one that was cut in the middle. */
function reportOf(file) {
  try {
    return JSON.parse(textOf(file))
  } catch {
    return undefined
  }
}

function runner(file) {
  const text = textOf(file)
  const last = [...text.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1)
  if (last === undefined) {
    sum.failed++
    failure(`${file}: it did not come to its end: ${text.trim().split('\n').slice(-3).join(' | ').slice(0, 600)}`)
    return
  }
  const [passed, failed, skipped] = [Number(last[1]), Number(last[2]), Number(last[3] ?? 0)]
  if (failed > 0)
    failure(
      `${file}: ${last[0]}: ${text
        .match(/^(?:not ok|WRONG).*$/gm)
        ?.join(' | ')
        .slice(0, 2000)}`,
    )
  sum.failed += failed
  if (file === 'golden.txt') return // its vectors are lines of data, vitest has counted them as tests of files already
  sum.passed += passed
  sum.skipped += skipped
}
