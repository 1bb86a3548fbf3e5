// A broker with its HTTP port, and a client that takes no answer that is not in the OpenAPI document.

import { mkdtempSync, rmSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Broker, type BrokerOptions } from '../../src/index.ts'
import { answerViolations, type Document } from './openapi-check.ts'

export type Answer = {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** Of an answer in JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they expect.
  json: any
}

export type Ask = { headers?: Record<string, string>; body?: string | Buffer; localAddress?: string }

/** A request whose path goes out as it is written. */
export function raw(
  url: string,
  method: string,
  target: string,
  { headers = {}, body, localAddress }: Ask = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const sent = request({ host: hostname, port, method, path: target, headers, localAddress }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(parts).toString()
        const isJson = /json/.test(response.headers['content-type'] ?? '')
        const json = isJson && text !== '' ? JSON.parse(text) : undefined
        resolve({ status: response.statusCode!, headers: response.headers, text, json })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export class HttpStage implements AsyncDisposable {
  readonly broker: Broker
  readonly document: Document
  readonly #folder: string | undefined

  private constructor(broker: Broker, document: Document, folder: string | undefined) {
    this.broker = broker
    this.document = document
    this.#folder = folder
  }

  static async open({ onDisk, ...options }: BrokerOptions & { onDisk?: boolean } = {}): Promise<HttpStage> {
    const folder = onDisk ? mkdtempSync(join(tmpdir(), 'twiglog-http-')) : undefined
    const disk = folder === undefined ? {} : { data: folder, storage: 'mapped' as const }
    const broker = await Broker.start({ http: true, ...disk, ...options })
    const document = (await raw(broker.httpUrl!, 'GET', '/openapi.json')).json as Document
    return new HttpStage(broker, document, folder)
  }

  get url(): string {
    return this.broker.httpUrl!
  }

  /** Fails the test where the answer is not in the document. */
  async ask(method: string, target: string, ask: Ask = {}): Promise<Answer> {
    const answer = await raw(this.url, method, target, ask)
    const { status, headers, text } = answer
    const told = { status, mediaType: headers['content-type'] ?? '', body: text }
    expect(answerViolations(this.document, { method, target }, told), `${method} ${target}: ${text}`).toEqual([])
    return answer
  }

  get(target: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask('GET', target, { headers })
  }

  post(target: string, records: readonly object[]): Promise<Answer> {
    const headers = { 'content-type': 'application/json' }
    return this.ask('POST', target, { headers, body: JSON.stringify({ records }) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.broker.stop()
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
  }
}

export type TailEvent = { event: string; id: string; data: string }

/** Server-sent events as a browser takes them apart. */
export class Tail implements AsyncDisposable {
  readonly #aborting = new AbortController()
  readonly #body: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #text = ''
  lastId = ''

  private constructor(body: ReadableStreamDefaultReader<Uint8Array>, aborting: AbortController) {
    this.#body = body
    this.#aborting = aborting
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<Tail> {
    const aborting = new AbortController()
    const response = await fetch(url, { headers, signal: aborting.signal })
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    return new Tail(response.body!.getReader(), aborting)
  }

  /** Undefined when the stream has ended. */
  async #block(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end !== -1) {
        const block = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return block
      }
      const { done, value } = await this.#body.read()
      if (done) return undefined
      this.#text += this.#decoder.decode(value, { stream: true })
    }
  }

  /** The next event that has something to say; undefined when there will be none. */
  async next(): Promise<TailEvent | undefined> {
    for (;;) {
      const block = await this.#block()
      if (block === undefined) return undefined
      const lines = block.split('\n').map((line) => /^([^:]*): ?(.*)$/.exec(line) ?? ['', line, ''])
      const of = (name: string) => lines.filter((line) => line[1] === name).map((line) => line[2]!)
      this.lastId = of('id').at(-1) ?? this.lastId
      if (of('data').length > 0)
        return { event: of('event').at(-1) ?? 'message', id: this.lastId, data: of('data').join('\n') }
    }
  }

  /** The id that is known before the first event. */
  async begin(): Promise<string> {
    const block = await this.#block()
    this.lastId = /^id: ?(.*)$/m.exec(block ?? '')?.[1] ?? ''
    return this.lastId
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#aborting.abort()
    await this.#body.cancel().catch(() => {})
  }
}
