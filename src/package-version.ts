// The version of this package, wherever the file was built to.

import { readFileSync } from 'node:fs'

export function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
      if (name === 'twiglog') return version
    } catch {} // Not there: the other one.
  }
  return 'unknown'
}
