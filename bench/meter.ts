// What a measurement cost and who else was running: CPU and memory as /proc tells them. Everything is undefined or 0
// where there is no /proc; the rates are then still printed, the CPU figures are not.
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'

const ticksPerSecond = 100 // USER_HZ, the same on every Linux that Node runs on

export interface Reading {
  readonly atMs: number
  readonly brokerS: number | undefined
  readonly clientS: number
  readonly scriptS: number
  /** All work on all cores since boot. */
  readonly busyS: number
  /** Time the hypervisor gave to other guests although we wanted to run. */
  readonly stolenS: number
  readonly brokerMemory: Memory | undefined
  /** Of the thread that serves. */
  readonly brokerLoop: ThreadTime | undefined
}

export interface ThreadTime {
  readonly ranMs: number
  /** It could have run, and the system had given all cores to others. */
  readonly waitedMs: number
}

export interface Memory {
  readonly rssMb: number
  readonly anonymousMb: number
  /** Pages of files: program text, and maps of the log. The kernel can take clean ones back at any time. */
  readonly fileMb: number
}

export interface Usage {
  readonly wallS: number
  readonly brokerCpuS: number | undefined
  /** Cores used by anything but broker, client and script. */
  readonly otherCores: number
  readonly stolenCores: number
  readonly load: number
  /** Of every second; where the system tells. */
  readonly brokerLoop: ThreadTime | undefined
}

export function read(brokerPid: number, clientPid: number): Reading {
  const { user, system } = process.cpuUsage()
  return {
    atMs: performance.now(),
    brokerS: processCpuS(brokerPid),
    clientS: processCpuS(clientPid) ?? 0,
    scriptS: (user + system) / 1e6,
    ...machineCpu(),
    brokerMemory: memoryOf(brokerPid),
    brokerLoop: mainThreadOf(brokerPid),
  }
}

export function between(from: Reading, to: Reading): Usage {
  const wallS = (to.atMs - from.atMs) / 1000
  const ours = (r: Reading) => (r.brokerS ?? 0) + r.clientS + r.scriptS
  const otherS = to.busyS - from.busyS - (ours(to) - ours(from))
  return {
    wallS,
    brokerCpuS: from.brokerS === undefined || to.brokerS === undefined ? undefined : to.brokerS - from.brokerS,
    otherCores: Math.max(0, otherS / wallS), // ticks are 10 ms: a quiet machine can come out just below 0
    stolenCores: (to.stolenS - from.stolenS) / wallS,
    load: loadavg()[0] ?? 0,
    brokerLoop:
      from.brokerLoop === undefined || to.brokerLoop === undefined
        ? undefined
        : {
            ranMs: (to.brokerLoop.ranMs - from.brokerLoop.ranMs) / wallS,
            waitedMs: (to.brokerLoop.waitedMs - from.brokerLoop.waitedMs) / wallS,
          },
  }
}

function mainThreadOf(pid: number): ThreadTime | undefined {
  const text = textOf(`/proc/${pid}/task/${pid}/schedstat`)
  if (text === undefined) return undefined
  const [ranNs = 0, waitedNs = 0] = text.split(' ').map(Number)
  return { ranMs: ranNs / 1e6, waitedMs: waitedNs / 1e6 }
}

export function memoryOf(pid: number): Memory | undefined {
  const text = textOf(`/proc/${pid}/status`)
  if (text === undefined) return undefined
  const mb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024
  return { rssMb: mb('VmRSS'), anonymousMb: mb('RssAnon'), fileMb: mb('RssFile') + mb('RssShmem') }
}

export function processCpuS(pid: number): number | undefined {
  const text = textOf(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ') // the name in brackets may hold spaces
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function machineCpu(): { busyS: number; stolenS: number } {
  const first = textOf('/proc/stat')?.split('\n', 1)[0] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = first.split(/\s+/).slice(1).map(Number)
  return { busyS: (user + nice + system + irq + softirq) / ticksPerSecond, stolenS: steal / ticksPerSecond }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
