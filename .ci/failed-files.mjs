// The test files in which something failed, a line each: node .ci/failed-files.mjs REPORT
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [report] = process.argv.slice(2)
const { testResults = [] } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
for (const { name, status } of testResults) if (status === 'failed') console.log(relative(process.cwd(), name))
