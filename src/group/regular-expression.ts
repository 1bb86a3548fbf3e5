// Regular expressions of subscriptions (KIP-848): the syntax of RE2, which clients in every language are told to use, and
// a match in time proportional to the text. JavaScript's own would let one member stop the broker with `(a+)+b`.

import { Refusal } from '../../protocol/errors.ts'

type Test = (char: string) => boolean
type Node =
  | { readonly kind: 'char'; readonly test: Test }
  | { readonly kind: 'empty' }
  | { readonly kind: 'edge'; readonly holds: (text: string, at: number) => boolean }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Node[] }
  | { readonly kind: 'repeat'; readonly of: Node; readonly min: number; readonly max: number }

type Step =
  | { readonly kind: 'char'; readonly test: Test }
  | { readonly kind: 'edge'; readonly holds: (text: string, at: number) => boolean }
  | { readonly kind: 'split'; to: number[] }
  | { readonly kind: 'match' }

type Flags = { readonly ignoreCase: boolean; readonly lines: boolean; readonly dotAll: boolean }

class SyntaxFault extends Error {}

const repeatMax = 1_000
const depthMax = 1_000
/** Repeats of repeats multiply. */
const stepsMax = 50_000

const digit: Test = (c) => c >= '0' && c <= '9'
const word: Test = (c) => /[0-9A-Za-z_]/.test(c)
const space: Test = (c) => /[\t\n\f\r ]/.test(c)
const not =
  (test: Test): Test =>
  (c) =>
    !test(c)
const classes: Readonly<Record<string, Test>> = {
  d: digit,
  D: not(digit),
  w: word,
  W: not(word),
  s: space,
  S: not(space),
}
const posix: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  ascii: /\p{ASCII}/u,
  blank: /[\t ]/,
  cntrl: /[\p{Cc}]/u,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t\n\v\f\r ]/,
  upper: /[A-Z]/,
  word: /[0-9A-Za-z_]/,
  xdigit: /[0-9A-Fa-f]/,
}
const controls: Readonly<Record<string, string>> = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

const isWordAt = (text: string, at: number): boolean => at >= 0 && at < text.length && word(text[at]!)
const isBoundary = (text: string, at: number): boolean => isWordAt(text, at - 1) !== isWordAt(text, at)
const isStart = (_text: string, at: number): boolean => at === 0
const isEnd = (text: string, at: number): boolean => at === text.length

function literal(char: string, { ignoreCase }: Flags): Node {
  const [lower, upper] = [char.toLowerCase(), char.toUpperCase()]
  return { kind: 'char', test: ignoreCase ? (c) => c === lower || c === upper : (c) => c === char }
}

class Parser {
  readonly #text: string
  #at = 0
  readonly #names = new Set<string>()
  #depth = 0
  #flags: Flags = { ignoreCase: false, lines: false, dotAll: false }

  constructor(text: string) {
    this.#text = text
  }

  parse(): Node {
    const node = this.#alternatives()
    // RE2 for Java calls an unmatched `)` this.
    if (this.#at < this.#text.length) throw new SyntaxFault('regexp/syntax: internal error')
    return node
  }

  #take(expected: string): boolean {
    if (!this.#text.startsWith(expected, this.#at)) return false
    this.#at += expected.length
    return true
  }

  #find(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at += found[0].length
    return found
  }

  #alternatives(): Node {
    const of = [this.#sequence()]
    while (this.#take('|')) of.push(this.#sequence())
    return of.length === 1 ? of[0]! : { kind: 'any', of }
  }

  #sequence(): Node {
    const of: Node[] = []
    while (this.#at < this.#text.length && !/[|)]/.test(this.#text[this.#at]!)) of.push(this.#repeated())
    return { kind: 'all', of }
  }

  #repeated(): Node {
    if (/[*+?]/.test(this.#text[this.#at]!)) throw new SyntaxFault('missing argument to repetition operator')
    let node = this.#one()
    for (let times = 0; ; times++) {
      const found = this.#find(/(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})(\??)/y)
      if (found === null) return node
      if (times > 0) throw new SyntaxFault('invalid nested repetition operator')
      node = repeat(node, found)
    }
  }

  #one(): Node {
    if (this.#take('(')) return this.#group()
    if (this.#take('[')) return this.#set()
    if (this.#take('.')) {
      const { dotAll } = this.#flags
      return { kind: 'char', test: (c) => dotAll || c !== '\n' }
    }
    const { lines } = this.#flags
    if (this.#take('^'))
      return { kind: 'edge', holds: lines ? (text, at) => at === 0 || text[at - 1] === '\n' : isStart }
    if (this.#take('$')) return { kind: 'edge', holds: lines ? (t, at) => at === t.length || t[at] === '\n' : isEnd }
    if (this.#take('\\')) return this.#escaped()
    return literal(this.#text[this.#at++]!, this.#flags)
  }

  #group(): Node {
    if (++this.#depth > depthMax) throw new SyntaxFault('expression nests too deeply')
    const before = this.#flags
    if (this.#take('?')) {
      const flags = this.#find(/([imsU]*)(?:-([imsU]+))?([:)])/y)
      if (flags !== null && flags[0] !== ')') this.#setFlags(flags[1]!, flags[2] ?? '')
      if (flags !== null && flags[3] === ')') return this.#flagsAlone()
      if (flags === null) this.#name()
    }
    const node = this.#alternatives()
    if (!this.#take(')')) throw new SyntaxFault('missing closing )')
    this.#flags = before
    this.#depth--
    return node
  }

  /** For the rest of the group around it. */
  #flagsAlone(): Node {
    this.#depth--
    return { kind: 'empty' }
  }

  /** Of a capturing group; nobody asks for what it captures. */
  #name(): void {
    if (this.#find(/P?</y) === null) throw new SyntaxFault(perlSyntax)
    const name = this.#find(/(\w+)>/y)?.[1]
    if (name === undefined) throw new SyntaxFault('invalid named capture')
    if (this.#names.has(name)) throw new SyntaxFault('duplicate capture group name')
    this.#names.add(name)
  }

  #setFlags(on: string, off: string): void {
    const flag = (letter: string, was: boolean) => (was || on.includes(letter)) && !off.includes(letter)
    const { ignoreCase, lines, dotAll } = this.#flags
    this.#flags = { ignoreCase: flag('i', ignoreCase), lines: flag('m', lines), dotAll: flag('s', dotAll) }
  }

  #escaped(): Node {
    if (this.#at === this.#text.length) throw new SyntaxFault('trailing backslash at end of expression')
    if (this.#take('A')) return { kind: 'edge', holds: isStart }
    if (this.#take('z')) return { kind: 'edge', holds: isEnd }
    if (this.#take('b')) return { kind: 'edge', holds: isBoundary }
    if (this.#take('B')) return { kind: 'edge', holds: (text, at) => !isBoundary(text, at) }
    if (this.#take('Q')) {
      const quoted = this.#find(/(.*?)(?:\\E|$)/sy)![1]!
      return { kind: 'all', of: [...quoted].map((char) => literal(char, this.#flags)) }
    }
    const test = this.#class()
    return test === undefined ? literal(this.#escapedChar(), this.#flags) : { kind: 'char', test }
  }

  /** After a backslash: a class of characters. */
  #class(): Test | undefined {
    const perl = this.#find(/[dDwWsS]/y)
    if (perl !== null) return classes[perl[0]]
    const unicode = this.#find(/[pP](?:\{(\^?)(\w+)\}|(\w))/y)
    if (unicode === null) return undefined
    const [, negated = '', long, short] = unicode
    const pattern = unicodeClass(long ?? short!)
    const test: Test = (c) => pattern.test(c)
    return (unicode[0][0] === 'P') !== (negated !== '') ? not(test) : test
  }

  #escapedChar(): string {
    const code = this.#find(/x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))|0([0-7]{0,2})|([1-7][0-7]{1,2})/y)
    if (code !== null) {
      const [, long, short, octal, octals] = code
      const hex = long ?? short
      const value = hex === undefined ? Number.parseInt(octal || octals || '0', 8) : Number.parseInt(hex, 16)
      if (value > 0x10ffff) throw new SyntaxFault('invalid escape sequence')
      return String.fromCodePoint(value)
    }
    const char = this.#text[this.#at++]!
    const control = controls[char]
    if (control !== undefined) return control
    if (/[0-9A-Za-z]/.test(char)) throw new SyntaxFault('invalid escape sequence')
    return char
  }

  /** Behind `[`. */
  #set(): Node {
    const negated = this.#take('^')
    const tests: Test[] = []
    const { ignoreCase } = this.#flags
    for (let first = true; first || !this.#take(']'); first = false) {
      if (this.#at >= this.#text.length) throw new SyntaxFault('missing closing ]')
      tests.push(this.#setItem())
    }
    const has: Test = (c) => tests.some((test) => test(c))
    const test: Test = ignoreCase ? (c) => has(c.toLowerCase()) || has(c.toUpperCase()) : has
    return { kind: 'char', test: negated ? not(test) : test }
  }

  #setItem(): Test {
    const named = this.#find(/\[:(\^?)(\w+):\]/y)
    if (named !== null) {
      const pattern = posix[named[2]!]
      if (pattern === undefined) throw new SyntaxFault('invalid character class range')
      return named[1] === '' ? (c) => pattern.test(c) : (c) => !pattern.test(c)
    }
    if (this.#text[this.#at] === '\\') {
      this.#at++
      const test = this.#class()
      if (test !== undefined) return test
      this.#at--
    }
    const from = this.#setChar()
    if (this.#text[this.#at] !== '-' || this.#text[this.#at + 1] === ']' || this.#at + 1 >= this.#text.length)
      return (c) => c === from
    this.#at++
    const to = this.#setChar()
    if (to < from) throw new SyntaxFault('invalid character class range')
    return (c) => c >= from && c <= to
  }

  #setChar(): string {
    if (!this.#take('\\')) return this.#text[this.#at++]!
    if (this.#at === this.#text.length) throw new SyntaxFault('trailing backslash at end of expression')
    return this.#escapedChar()
  }
}

const perlSyntax = 'invalid or unsupported Perl syntax'

function unicodeClass(name: string): RegExp {
  try {
    // One or two letters name a category, more a script.
    return name === 'Any' ? /./su : new RegExp(name.length <= 2 ? `^\\p{${name}}$` : `^\\p{Script=${name}}$`, 'u')
  } catch {
    throw new SyntaxFault('invalid character class range')
  }
}

function repeat(of: Node, [, sign, least, comma, most]: readonly (string | undefined)[]): Node {
  if (sign !== undefined) return { kind: 'repeat', of, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Infinity }
  const min = Number(least)
  const max = comma === undefined ? min : most === '' ? Infinity : Number(most)
  if (min > repeatMax || (max !== Infinity && (max > repeatMax || max < min)))
    throw new SyntaxFault('invalid repeat count')
  return { kind: 'repeat', of, min, max }
}

/** Appends the steps of a node; what follows begins at the end of the program. */
function compile(program: Step[], node: Node): void {
  if (program.length > stepsMax) throw new SyntaxFault('invalid repeat count')
  switch (node.kind) {
    case 'empty':
      return
    case 'char':
    case 'edge':
      program.push(node)
      return
    case 'all':
      for (const each of node.of) compile(program, each)
      return
    case 'any':
      compileAny(program, node.of)
      return
    case 'repeat':
      compileRepeat(program, node)
  }
}

function compileAny(program: Step[], of: readonly Node[]): void {
  const split = { kind: 'split' as const, to: [] as number[] }
  program.push(split)
  const ends = of.map((each) => {
    split.to.push(program.length)
    compile(program, each)
    const end = { kind: 'split' as const, to: [] as number[] }
    program.push(end)
    return end
  })
  for (const end of ends) end.to = [program.length]
}

function compileRepeat(program: Step[], { of, min, max }: Extract<Node, { kind: 'repeat' }>): void {
  for (let i = 0; i < min; i++) compile(program, of)
  if (max === Infinity) {
    const at = program.length
    const split = { kind: 'split' as const, to: [at + 1] }
    program.push(split)
    compile(program, of)
    program.push({ kind: 'split', to: [at] })
    split.to.push(program.length)
    return
  }
  const ways: { to: number[] }[] = []
  for (let i = min; i < max; i++) {
    const split = { kind: 'split' as const, to: [program.length + 1] }
    program.push(split)
    ways.push(split)
    compile(program, of)
  }
  for (const way of ways) way.to.push(program.length)
}

export class RegularExpression {
  readonly #program: readonly Step[]

  private constructor(program: readonly Step[]) {
    this.#program = program
  }

  /** A Refusal says what is wrong, in the words of the real broker. */
  static parse(text: string): RegularExpression | Refusal {
    try {
      const program: Step[] = []
      compile(program, new Parser(text).parse())
      program.push({ kind: 'match' })
      return new RegularExpression(program)
    } catch (fault) {
      if (!(fault instanceof SyntaxFault)) throw fault
      const message = `SubscribedTopicRegex \`${text}\` is not a valid regular expression: ${fault.message}.`
      return new Refusal('INVALID_REGULAR_EXPRESSION', message)
    }
  }

  /** Whether the whole text matches. */
  matches(text: string): boolean {
    let states = this.#reach([0], text, 0)
    for (let at = 0; at < text.length && states.size > 0; at++) {
      const next: number[] = []
      for (const state of states) {
        const step = this.#program[state]!
        if (step.kind === 'char' && step.test(text[at]!)) next.push(state + 1)
      }
      states = this.#reach(next, text, at + 1)
    }
    return states.has(this.#program.length - 1)
  }

  /** The states that can be come to without reading on. */
  #reach(from: number[], text: string, at: number): ReadonlySet<number> {
    const reached = new Set<number>()
    for (const todo = from; todo.length > 0; ) {
      const state = todo.pop()!
      if (reached.has(state)) continue
      reached.add(state)
      const step = this.#program[state]!
      if (step.kind === 'split') todo.push(...step.to)
      else if (step.kind === 'edge' && step.holds(text, at)) todo.push(state + 1)
    }
    return reached
  }
}
