// For matrix.ts and tests; run.mjs is started before anything that could strip types is there.
export const drivers: { readonly [client: string]: string }
export function languageOf(file: string): string
export function inTurn(names: readonly string[], day: number): string[]
