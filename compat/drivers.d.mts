// For matrix.ts; run.mjs is started before anything that could strip types is there.
export const drivers: { readonly [client: string]: string }
