// Under which names we may be addressed. A web page can point a name of its own at this machine (DNS rebinding) and would then
// be of our origin; numbers and names of this machine nobody else can take.

import { isIP } from 'node:net'

const hostOf = (header: string): string => {
  const [, bracketed, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/.exec(header.trim()) ?? []
  return (bracketed ?? name ?? '').toLowerCase().replace(/\.$/, '')
}

/** `allowed`: names beside those of this machine; `*` is any. */
export function isOwnHost(header: string | undefined, allowed: ReadonlySet<string>): boolean {
  if (header === undefined) return false
  const host = hostOf(header)
  if (host === '') return false
  return (
    isIP(host) !== 0 || host === 'localhost' || host.endsWith('.localhost') || allowed.has(host) || allowed.has('*')
  )
}

/** Whether a page that sends its origin along is one of ours; programs send none. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true
  const [, authority] = /^https?:\/\/([^/]+)$/.exec(origin) ?? []
  return authority !== undefined && authority.toLowerCase() === host?.toLowerCase()
}
