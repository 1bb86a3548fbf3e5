// What the broker says once it accepts connections: a card for people, one line of JSON for programs, and the lines that
// test harnesses of other brokers wait for.

export type Card = {
  readonly version: string
  readonly pid: number
  readonly nodeId: number
  /** Client listeners with the addresses that clients are told; the first is the bootstrap address. */
  readonly listeners: readonly {
    readonly name: string
    readonly nodeId: number
    readonly host: string
    readonly port: number
  }[]
  /** Where the HTTP interface is; undefined: there is none. */
  readonly http?: string | undefined
  /** Why there is none, where there was to be one. */
  readonly httpRefused?: string | undefined
  /** undefined: in memory. */
  readonly dataFolder: string | undefined
  readonly storage: string
  readonly flush: { readonly messages: number; readonly ms: number }
  /** What each codec is made with, as codecsLoaded says. */
  readonly codecs: Readonly<Record<string, string>>
  readonly readyMs: number
}

const hostAndPort = ({ host, port }: { host: string; port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

export const bootstrapOf = ({ listeners }: Pick<Card, 'listeners'>): string =>
  listeners[0] === undefined ? '' : hostAndPort(listeners[0])

/** FORCE_COLOR wins over NO_COLOR, which wins over what the stream is. */
export function wantsColour(environment: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no } = environment
  if (force !== undefined) return force !== '0' && force !== 'false'
  return isTerminal && (no === undefined || no === '')
}

/** The card, ending in a line break. */
export function renderCard(card: Card, colour: boolean): string {
  const paint = (code: number) => (text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text)
  const [bold, dim, cyan] = [paint(1), paint(2), paint(36)]
  const bootstrap = bootstrapOf(card)
  const row = (title: string, text: string) => `  ${dim(title.padEnd(9))} ${text}\n`
  const others = card.listeners.slice(1).map((listener) => {
    const { name, nodeId } = listener
    return row(nodeId === card.nodeId ? name : `node ${nodeId}`, hostAndPort(listener))
  })
  const http = card.http === undefined ? card.httpRefused && `none: ${card.httpRefused}` : cyan(card.http)
  return [
    `${bold('twiglog')} ${card.version} ${dim(`ready in ${Math.round(card.readyMs)} ms`)}\n\n`,
    row('Kafka', cyan(bootstrap)),
    ...others,
    ...(http === undefined ? [] : [row('HTTP', http)]),
    row('Data', card.dataFolder ?? 'in memory, gone when the broker stops'),
    row('Safety', safety(card)),
    row('Storage', `${storages[card.storage] ?? card.storage}; ${codecsInWords(card.codecs)}`),
    '\n',
    row('kcat', `kcat -b ${bootstrap} -t hello -P`),
    row('KafkaJS', `new Kafka({ brokers: ['${bootstrap}'] })`),
    row('Java', `kafka-console-producer.sh --bootstrap-server ${bootstrap} --topic hello`),
  ].join('')
}

const storages: Readonly<Record<string, string>> = {
  mapped: 'memory-mapped files',
  plain: 'plain files',
  memory: 'memory',
}

/** What an acknowledgement promises. */
function safety({ dataFolder, flush }: Card): string {
  if (dataFolder === undefined) return 'acknowledged records are lost when the process ends'
  if (flush.messages === 1) return 'acknowledged records survive a power failure (each batch is flushed)'
  const survives = 'acknowledged records survive the end of the process'
  const often = [
    ...(flush.messages < Number.MAX_SAFE_INTEGER ? [`every ${flush.messages} records`] : []),
    ...(flush.ms < Number.MAX_SAFE_INTEGER ? [`every ${flush.ms} ms`] : []),
  ]
  if (often.length === 0) return `${survives}; a power failure may take the newest (flush.policy=none)`
  return `${survives}; a power failure may take those since the last flush (${often.join(', ')})`
}

const inJavaScript = new Set(['crc-32', 'snappyjs', 'lz4js', 'fzstd'])

function codecsInWords(codecs: Card['codecs']): string {
  const names = Object.keys(codecs)
  const script = names.filter((name) => inJavaScript.has(codecs[name]!))
  const native = names.filter((name) => !script.includes(name))
  const groups = [
    ['native', native],
    ['JavaScript', script],
  ] as const
  return groups.flatMap(([word, group]) => (group.length > 0 ? [`${word} ${group.join(', ')}`] : [])).join('; ')
}

/** One line for `--json`, with its line break. */
export function renderJson(card: Card): string {
  const { version, pid, nodeId, listeners, http, dataFolder, storage, readyMs } = card
  const data = dataFolder ?? null
  const line = {
    bootstrap: bootstrapOf(card),
    pid,
    listeners,
    ...(http === undefined ? {} : { http }),
    data,
    storage,
    nodeId,
    version,
    readyMs: Math.round(readyMs),
  }
  return `${JSON.stringify(line)}\n`
}

/** The line of `--ready-file`. */
export const readyLine = (card: Pick<Card, 'listeners' | 'pid' | 'http'>): string =>
  `${JSON.stringify({ bootstrap: bootstrapOf(card), pid: card.pid, http: card.http })}\n`

/**
 * By these lines the container modules for Kafka and Redpanda know that a broker is ready; each is looked for as a part
 * of a line, or as the whole of it.
 */
export const harnessLines = (nodeId: number): string =>
  [
    `[BrokerLifecycleManager id=${nodeId}] Transitioning from RECOVERY to RUNNING`,
    `[KafkaServer id=${nodeId}] started`,
    'Kafka Server started',
    'Started Kafka API server',
    'Successfully started Redpanda!',
  ]
    .map((line) => `${line}\n`)
    .join('')

/** Everything for standard output when the broker is ready: harnesses read no terminal, and programs want JSON alone. */
export function announcement(
  card: Card,
  how: { json: boolean; compatLogs: boolean; isTerminal: boolean; colour: boolean },
): string {
  const awaited = how.compatLogs || (!how.isTerminal && !how.json) ? harnessLines(card.nodeId) : ''
  return `${how.json ? renderJson(card) : renderCard(card, how.colour)}${awaited}`
}
