// What `twiglog branch` was told to do, in plain words: read by branch-words.ts, done by run.ts.

export type Where = {
  /** `host:port,…` */
  readonly bootstrap: string
  readonly json: boolean
}

/** A line for `__branch_commands`, without op and id where those are given beside it. */
export type CommandLine = Readonly<Record<string, unknown>> & { readonly op: string }

export type Verb =
  | { readonly verb: 'list'; readonly graph: boolean }
  | { readonly verb: 'show'; readonly name: string }
  | { readonly verb: 'log'; readonly name: string | undefined; readonly limit: number }
  | {
      readonly verb: 'diff'
      readonly name: string
      /** Its parent, where nobody says. */
      readonly other: string | undefined
      readonly stat: boolean
      readonly key: Buffer | undefined
    }
  | {
      readonly verb: 'merge'
      /** A `merge`; `from` without `into` means the parent. */
      readonly command: CommandLine
      /** Only say what it would do. */
      readonly plan: boolean
      readonly yes: boolean
    }
  | { readonly verb: 'conflicts'; readonly merge: string | undefined; readonly key: Buffer | undefined }
  | {
      readonly verb: 'resolve'
      readonly key: Buffer
      readonly merge: string | undefined
      readonly topic: string | undefined
      /** `take`, and what belongs to it. */
      readonly how: Readonly<Record<string, unknown>>
    }
  | { readonly verb: 'protect'; readonly name: string; readonly as: string }
  | { readonly verb: 'command'; readonly command: CommandLine; readonly question?: string; readonly yes?: boolean }

export type BranchOrder = Where & Verb
