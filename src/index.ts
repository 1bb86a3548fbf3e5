// What `import … from 'twiglog'` gives.

export { Broker, type BrokerOptions, type TopicOptions } from './embedded.ts'
export {
  BranchError,
  type Diff,
  type DiffOptions,
  Fork,
  type ForkOptions,
  type MergeOptions,
  type MergeResult,
} from './fork-handle.ts'
export type { HttpOptions } from './http-port.ts'
export type { Listener } from './net/listener.ts'
