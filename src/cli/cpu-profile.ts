// Where the time of a running broker goes: a profile of the main thread as V8 takes it, from the start on. It is written at
// the stop, and whenever the signal comes; then another one begins. Chrome's DevTools and speedscope read such files.

import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { join, parse } from 'node:path'

/** Microseconds between two looks: fine enough for requests of a tenth of a millisecond in a minute. */
const intervalUs = 500

export class CpuProfile {
  readonly #session = new Session()
  readonly #path: string
  #count = 0
  /** One at a time: a profile ends before the next one begins. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(path: string) {
    this.#path = path
  }

  static async begin(path: string): Promise<CpuProfile> {
    const profile = new CpuProfile(path)
    profile.#session.connect()
    await profile.#session.post('Profiler.enable')
    await profile.#session.post('Profiler.setSamplingInterval', { interval: intervalUs })
    await profile.#session.post('Profiler.start')
    return profile
  }

  /** FILE.cpuprofile, FILE.2.cpuprofile, … */
  get #nextPath(): string {
    if (++this.#count === 1) return this.#path
    const { dir, name, ext } = parse(this.#path)
    return join(dir, `${name}.${this.#count}${ext}`)
  }

  /** Writes what was seen since the start, or since the last time; answers where. */
  write(goesOn: boolean): Promise<string> {
    const done = this.#last.then(async () => {
      const { profile } = await this.#session.post('Profiler.stop')
      if (goesOn) await this.#session.post('Profiler.start')
      const path = this.#nextPath
      writeFileSync(path, JSON.stringify(profile))
      return path
    })
    this.#last = done.catch(() => {})
    return done
  }
}
