// The levels of the loggers, of which there is one: what the broker has to say goes to standard error whatever its level.
// Kept in memory only, as Kafka does.

import { Refusal } from '../../protocol/errors.ts'
import { type ConfigOperation, configOperations } from './config-alter.ts'
import { type ConfigEntry, type DescribeRequest, wants } from './config-entry.ts'
import { configSources, configTypes } from './config-table.ts'

const root = 'root'
const levels = ['DEBUG', 'ERROR', 'FATAL', 'INFO', 'TRACE', 'WARN']
const operationNames = Object.fromEntries(
  Object.entries(configOperations).map(([name, code]) => [code, name.toUpperCase()]),
)

export class LoggerConfig {
  #level = 'INFO'

  describe(request: DescribeRequest): ConfigEntry[] {
    if (!wants(request, root)) return []
    const entry = {
      name: root,
      value: this.#level,
      readOnly: false,
      configSource: configSources.logger,
      isSensitive: false,
      synonyms: [],
      configType: configTypes.unknown,
      documentation: '',
    }
    return [entry]
  }

  /** The levels after `operations`; give them to configure. */
  alter(operations: readonly ConfigOperation[]): Record<string, string> | Refusal {
    const next: Record<string, string> = {}
    for (const { name, configOperation, value } of operations) {
      if (name in next) return new Refusal('INVALID_REQUEST', 'Error due to duplicate config keys')
      const refusal = refuse(name, configOperation, value)
      if (refusal !== undefined) return refusal
      next[name] = value!.toUpperCase()
    }
    return next
  }

  configure(next: Readonly<Record<string, string>>): void {
    this.#level = next[root] ?? this.#level
  }
}

function refuse(name: string, operation: number, value: string | null): Refusal | undefined {
  if (operation !== configOperations.set && operation !== configOperations.delete) {
    const what = operationNames[operation] ?? operation
    return new Refusal('INVALID_REQUEST', `${what} operation is not allowed for the BROKER_LOGGER resource`)
  }
  if (name !== root) return new Refusal('INVALID_CONFIG', `Logger ${name} does not exist!`)
  if (operation === configOperations.delete) {
    return new Refusal('INVALID_REQUEST', 'Removing the log level of the root logger is not allowed')
  }
  if (value !== null && levels.includes(value.toUpperCase())) return undefined
  const known = `Valid log levels are ${levels.join(', ')}`
  const what = `Cannot set the log level of ${name} to ${value} as it is not a supported log level.`
  return new Refusal('INVALID_CONFIG', `${what} ${known}`)
}
