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
      readonly key: string | undefined
    }
  | { readonly verb: 'protect'; readonly name: string; readonly as: string }
  | { readonly verb: 'command'; readonly command: CommandLine; readonly question?: string; readonly yes?: boolean }

export type BranchOrder = Where & Verb
