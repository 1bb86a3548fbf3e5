// The three topics that are an API (docs/branches.md): commands go into one, what happened and what is in conflict come
// out of the others. Made by their first use, never deleted.

/** Produced to by anybody. Not internal: kafka-go and kafka-python cannot produce to a topic that is. */
export const commandsTopic = '__branch_commands'
/** History and results. */
export const branchesTopic = '__branches'
/** What parked merges have left open. */
export const conflictsTopic = '__branch_conflicts'

/** The broker's word alone stands in them. */
export const toldTopics: ReadonlySet<string> = new Set([branchesTopic, conflictsTopic])

const forEver = { 'retention.ms': '-1', 'retention.bytes': '-1' }
/** An acknowledged command outlives a power cut, and so does what was said about it. */
const durable = { 'flush.messages': '1' }

export const jsonTopics = [
  // Room for the header that the broker adds to a record of a megabyte.
  { name: commandsTopic, partitions: 1, configs: { ...forEver, ...durable, 'max.message.bytes': '2097152' } },
  { name: branchesTopic, partitions: 1, configs: { 'cleanup.policy': 'delete', ...forEver, ...durable } },
  { name: conflictsTopic, partitions: 1, configs: { 'cleanup.policy': 'compact', ...durable } },
] as const

export const isJsonTopic = (name: string): boolean => jsonTopics.some((topic) => topic.name === name)

/** Headers of this beginning in a command are the broker's. */
export const brokersHeaders = 'branch.'
/** Who produced a command. */
export const principalHeader = 'branch.principal'
/** From which address. */
export const hostHeader = 'branch.host'
/** As what: the client id of whoever produced it. */
export const clientHeader = 'branch.client'
/** In which set a command was given: its names are those inside. */
export const enteredHeader = 'branch.entered'
/** Of an event: the offset of the command whose result it is. */
export const commandHeader = 'branch.command'
