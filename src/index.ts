// What `import … from 'twiglog'` gives.

export { Broker, type BrokerOptions, type ListenerOptions, type TopicOptions } from './embedded.ts'
