// For its test; run.mjs is started before anything that could strip types is there.
export function asComment(which: string, line: string): string
export function forgiven(lines: readonly string[]): string[]
