// For its test; run.mjs is started before anything that could strip types is there.
export function asComment(which: string, line: string): string
export function forgiven(lines: readonly string[]): string[]
export class Counted {
  passed: number
  failed: number
  skipped: number
  skipAll: string
  failures: string[]
  unplayed: number
  notBegun: number
  assert(result: { ok: boolean; name: string; skip?: string | boolean; todo?: string | boolean }): void
  end(of: {
    ok: boolean
    plan: { start?: number | null; end?: number | null; skipAll?: boolean; skipReason?: string; comment?: string }
    exit: number | null
  }): string[]
}
export function playTwice(
  name: string,
  play: (say: (line: string) => void, environment?: { readonly COMPAT_ONLY: string }) => Promise<Counted>,
  say: (line: string) => void,
): Promise<Counted>
