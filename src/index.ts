// What `import … from 'twiglog'` gives.

export { Broker, type BrokerOptions, type TopicOptions } from './embedded.ts'
export type { Listener } from './net/listener.ts'
