// What `twiglog rev` was told to do, in plain words: read by rev-words.ts, done by run.ts.

/** As of where: the newest revision at or before it. */
export type Point =
  | { readonly kind: 'newest' }
  | { readonly kind: 'rev'; readonly rev: number }
  /** Records below it. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** Records before it, ms since 1970. */
  | { readonly kind: 'timestamp'; readonly timestamp: number }

export type Subject = {
  /** `host:port,…` */
  readonly bootstrap: string
  readonly json: boolean
  readonly topic: string
  readonly key: Buffer
  /** Where the key is in more than one. */
  readonly partition: number | undefined
}

export type Verb =
  | { readonly verb: 'log'; readonly at: Point; readonly limit: number }
  | {
      readonly verb: 'show'
      readonly at: Point
      /** What it changes of the one before, instead of the value. */
      readonly delta: boolean
    }
  | {
      readonly verb: 'diff'
      readonly at: Point
      /** The one before, where nobody says. */
      readonly from: number | undefined
      readonly to: number | undefined
      /** The deltas themselves. */
      readonly raw: boolean
    }
  | { readonly verb: 'restore'; readonly at: Point; readonly yes: boolean }
  | { readonly verb: 'stats' }

/** Only `stats` may be about all keys. */
export type RevOrder = (Subject & Verb) | (Omit<Subject, 'key'> & { readonly key: undefined; readonly verb: 'stats' })
