// What a driver said of a first try that a second one has mended, as TAP: who reads it must not take it for a failure, and
// must be able to see what went wrong.

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
