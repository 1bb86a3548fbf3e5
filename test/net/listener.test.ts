// Listeners against the rules of the real broker (4.4.0): what is opened, what is advertised, what is refused.

import { describe, expect, test } from 'vitest'
import { Refusal } from '../../protocol/errors.ts'
import { BrokerConfig } from '../../src/broker/broker-config.ts'
import { endpointFor, type Listener, listenersFromAdvertised, listenersOf } from '../../src/net/listener.ts'

const read = (settings: Record<string, string>) => listenersOf(new BrokerConfig(Object.entries(settings)), 'me.local')
const refusal = (settings: Record<string, string>) => {
  const outcome = read(settings)
  return outcome instanceof Refusal ? outcome.message : outcome
}
/** NAME host:port → what clients are told, when port 0 was bound to 5000. */
const shown = (settings: Record<string, string>) => {
  const outcome = read(settings)
  if (outcome instanceof Refusal) return outcome.message
  return outcome.map((listener) => `${listener.name} ${listener.host}:${listener.port} → ${told(listener)}`)
}
function told(listener: Listener): string {
  if (listener.role === 'controller') return 'closed at once'
  const { host, port } = endpointFor(listener, listener.port === 0 ? 5000 : listener.port)
  return `${host}:${port}`
}

const plain = { 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,A:PLAINTEXT,CONTROLLER:PLAINTEXT' }

describe('what is opened and what clients are told', () => {
  const table: [settings: Record<string, string>, outcome: string[]][] = [
    [{}, ['PLAINTEXT 127.0.0.1:9092 → 127.0.0.1:9092']],
    [{ listeners: 'plaintext://:9092' }, ['PLAINTEXT undefined:9092 → me.local:9092']],
    [{ listeners: 'PLAINTEXT://0.0.0.0:9092' }, ['PLAINTEXT 0.0.0.0:9092 → me.local:9092']],
    [{ listeners: 'PLAINTEXT://127.0.0.1:0' }, ['PLAINTEXT 127.0.0.1:0 → 127.0.0.1:5000']],
    [{ listeners: 'PLAINTEXT://[::1]:9092' }, ['PLAINTEXT ::1:9092 → ::1:9092']],
    [
      { listeners: 'PLAINTEXT://:9092', 'advertised.listeners': 'PLAINTEXT://my_host:29092' },
      ['PLAINTEXT undefined:9092 → my_host:29092'],
    ],
    [
      { listeners: 'PLAINTEXT://localhost:0', 'advertised.listeners': 'PLAINTEXT://other:0' },
      ['PLAINTEXT localhost:0 → other:5000'],
    ],
    [
      { ...plain, listeners: ' PLAINTEXT://:9092 , A://h:19092 ', 'advertised.listeners': 'A://a:1,PLAINTEXT://p:2' },
      ['PLAINTEXT undefined:9092 → p:2', 'A h:19092 → a:1'],
    ],
    [
      { ...plain, listeners: 'PLAINTEXT://1.2.3.4:9092,A://[::1]:9092' },
      ['PLAINTEXT 1.2.3.4:9092 → 1.2.3.4:9092', 'A ::1:9092 → ::1:9092'],
    ],
    [
      { listeners: 'PLAINTEXT://h:1,CONTROLLER://h:2', 'controller.listener.names': 'CONTROLLER' },
      ['PLAINTEXT h:1 → h:1', 'CONTROLLER h:2 → closed at once'],
    ],
    [
      { ...plain, 'listener.security.protocol.map': 'plaintext:plaintext', listeners: 'PLAINTEXT://h:1' },
      ['PLAINTEXT h:1 → h:1'],
    ],
  ]
  test.each(table)('%j', (settings, outcome) => expect(shown(settings)).toEqual(outcome))

  test('what container modules set is understood: three listeners, each with an address of its own', () => {
    const settings = {
      listeners: 'PLAINTEXT://0.0.0.0:9092,BROKER://0.0.0.0:9093,CONTROLLER://0.0.0.0:9094',
      'advertised.listeners': 'PLAINTEXT://localhost:32771,BROKER://9f1c:9093',
      'listener.security.protocol.map': 'BROKER:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'BROKER',
      'controller.listener.names': 'CONTROLLER',
      'process.roles': 'broker,controller',
    }
    expect(shown(settings)).toEqual([
      'PLAINTEXT 0.0.0.0:9092 → localhost:32771',
      'BROKER 0.0.0.0:9093 → 9f1c:9093',
      'CONTROLLER 0.0.0.0:9094 → closed at once',
    ])
  })
})

describe('what is refused', () => {
  const table: [settings: Record<string, string>, words: RegExp][] = [
    [{ listeners: 'PLAINTEXT:9092' }, /^Unable to parse PLAINTEXT:9092 to a broker endpoint/],
    [{ listeners: 'PLAINTEXT://h:x' }, /^Unable to parse/],
    [{ listeners: 'PLAINTEXT://h:70000' }, /^Unable to parse/],
    [{ listeners: 'A://:9092' }, /^No security protocol defined for listener A$/],
    [{ listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }, /^Each listener must have a different name, listeners: /],
    [{ ...plain, listeners: 'PLAINTEXT://:1,A://:1' }, /^Each listener must have a different port, listeners: /],
    [{ 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, /nonroutable meta-address 0\.0\.0\.0/],
    [{ ...plain, 'advertised.listeners': 'A://h:1' }, /equal to or a subset.*Found A; listeners has PLAINTEXT/],
    [
      { 'advertised.listeners': 'PLAINTEXT://a:1,PLAINTEXT://b:2' },
      /^Each listener must have a different name, advertised/,
    ],
    [
      { 'listener.security.protocol.map': 'PLAINTEXT:FOO' },
      /^Invalid security protocol `FOO` defined in listener.security/,
    ],
    [{ 'listener.security.protocol.map': 'PLAINTEXT' }, /'PLAINTEXT' is not of the form NAME:PROTOCOL$/],
    [{ 'inter.broker.listener.name': 'B' }, /^No security protocol defined for listener B$/],
    [{ ...plain, 'inter.broker.listener.name': 'A' }, /must be a listener name defined in advertised.listeners/],
    [
      { 'inter.broker.listener.name': 'PLAINTEXT', 'security.inter.broker.protocol': 'PLAINTEXT' },
      /^Only one of inter.broker.listener.name and security.inter.broker.protocol/,
    ],
    [{ 'controller.listener.names': 'PLAINTEXT' }, /^There must be at least one broker advertised listener/],
    [
      { 'controller.listener.names': 'X', 'process.roles': 'broker,controller' },
      /^controller.listener.names must only contain values appearing in the 'listeners'/,
    ],
    [{ listeners: 'SSL://:9093' }, /^Listener SSL is SSL, which is not available yet/],
    [{ listeners: 'SASL_PLAINTEXT://:9093' }, /^Listener SASL_PLAINTEXT is SASL_PLAINTEXT, which is not available/],
  ]
  test.each(table)('%j', (settings, words) => expect(refusal(settings)).toMatch(words))
})

test('where only advertised addresses are given their ports are opened on every address, as the official image does', () => {
  expect(listenersFromAdvertised('PLAINTEXT://localhost:9092, A://[::1]:29092')).toBe(
    'PLAINTEXT://0.0.0.0:9092,A://0.0.0.0:29092',
  )
})
