// What a driver's TAP comes to, and what is said of a first try that a second one has mended: who reads it must not take that
// for a failure, must be able to see what went wrong, and must be told what was never played.

/**
 * Plays what has failed once more by itself. What passes then is counted so and named: clients have clocks of their own, and a
 * machine that does something else for a second must not look like a broken broker. But where something of the plan was never
 * played, nothing that is played again can stand for it: that stays a failure.
 */
export async function playTwice(name, play, say) {
  const [first, second] = [[], []]
  const counts = await play((line) => first.push(line))
  const { failed, failures, unplayed } = counts
  const isMended = async () => {
    if (failed === 0 || unplayed > 0 || failures.length !== failed) return false
    const again = await play((line) => second.push(line), { COMPAT_ONLY: failures.join(',') })
    return again.failed === 0 && again.passed >= failed
  }
  const indented = (line) => say(`    ${line}`)
  if (!(await isMended())) {
    for (const line of [...first, ...second.map((line) => asComment('second try', line))]) indented(line)
    return counts
  }
  for (const line of forgiven(first)) indented(line)
  say(`# ${name} failed at first and passed alone: ${failures.join(', ')}`)
  return { ...counts, passed: counts.passed + failed, failed: 0 }
}

/** Counts what a driver says: `assert` for each result, then how it ended. */
export class Counted {
  passed = 0
  failed = 0
  skipped = 0
  skipAll = ''
  /** Scenarios by their names. */
  failures = []
  unplayed = 0
  notBegun = 0

  assert({ ok, skip, todo, name }) {
    if (String(skip).startsWith('not begun')) this.notBegun++
    if (skip || todo) this.skipped++
    else if (ok) this.passed++
    else {
      this.failed++
      if (!isAboutPlan(name)) this.failures.push(name.split(':')[0])
    }
  }

  /** `plan`: what it said beforehand that it would play. Gives what else there is to say. */
  end({ ok, plan, exit }) {
    const said = []
    const planned = Math.max(0, (plan.end ?? 0) - (plan.start ?? 1) + 1)
    const told = this.passed + this.skipped + this.failures.length
    this.unplayed = plan.skipAll ? 0 : Math.max(0, planned - told)
    if (this.unplayed > 0) said.push(`# ${this.unplayed} of ${planned} were never played`)
    if (this.notBegun > 0) said.push(`# ${this.notBegun} of ${planned} were not begun in time`)
    if (exit !== 0 || !ok) {
      // It died before its plan was played. Its empty TAP alone would look like a driver that skips everything.
      if (this.failed === 0) {
        said.push(`# ended with ${exit}`)
        this.failed++
      }
    } else if (plan.skipAll) {
      this.skipAll = plan.skipReason || plan.comment || 'no reason given'
      this.skipped++
    }
    return said
  }
}

/** tap's own word for a driver that ended early: about none of its scenarios. */
function isAboutPlan(name) {
  return /^test count\(\d+\) != plan\(/.test(name)
}

/** A line that says nothing by itself any more. */
export function asComment(which, line) {
  return line.trim() === '' ? '' : `# ${which}: ${line}`
}

/**
 * The lines of a driver whose failed tests have passed since. What is said of such a test, before its result and behind it,
 * are comments; its result is ok.
 */
export function forgiven(lines) {
  const said = []
  let inner = []
  let explains = false // the indented lines behind a result that was not ok
  for (const line of lines) {
    const [result] = /^(not )?ok\b/.exec(line) ?? []
    if (result === undefined) {
      if (explains && /^ /.test(line)) said.push(asComment('first try', line))
      else if (/^( |$|# Subtest)/.test(line)) inner.push(line)
      else said.push(...inner.splice(0), line)
      if (!/^ /.test(line)) explains = false
      continue
    }
    explains = result === 'not ok'
    const tell = explains ? (each) => asComment('first try', each) : (each) => each
    said.push(...inner.map(tell))
    inner = []
    said.push(...(explains ? [asComment('first try', line), line.replace(/^not ok/, 'ok')] : [line]))
  }
  return [...said, ...inner]
}
