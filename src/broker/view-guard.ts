// What cannot be altered once a view is there: how it was made, and what it needs of its source.

import { Refusal } from '../../protocol/errors.ts'
import { isJsonTopic } from '../branch/json-topics.ts'
import { plainPointer } from '../revision/json-scalars.ts'
import type { Broker } from './broker.ts'
import { type ConfigAssignment, type ConfigOperation, configOperations, type Overrides } from './config-alter.ts'
import type { Topic } from './topic.ts'
import { topicConfigTable } from './topic-config.ts'

type Asked = { readonly name: string; readonly value: string | null; readonly configOperation?: number }

const isFixed = (name: string): boolean => topicConfigTable.row(name)?.fixed === true
const refuse = (message: string): Refusal => new Refusal('INVALID_CONFIG', message)

function refuseAsked(topic: Topic, asked: readonly Asked[]): Refusal | undefined {
  const { name, config, isInternal } = topic
  const own = asked.find((one) => one.name.startsWith('revision.') && (isInternal || isJsonTopic(name)))
  if (own !== undefined) return refuse(`${own.name}: '${name}' is the broker's own topic and keeps no revisions.`)
  const ofView = asked.find((one) => one.name.startsWith('view.'))
  if (config.view === undefined) {
    if (ofView === undefined) return undefined
    return refuse(
      `${ofView.name} is said when a view is made, and '${name}' is none: create a topic with view.of=${name}.`,
    )
  }
  const overrides = config.overrides()
  const changed = asked.find((one) => isFixed(one.name) && (isRemoval(one) || one.value !== overrides[one.name]))
  if (changed === undefined) return undefined
  return refuse(
    `${changed.name} tells how a view was made and cannot be changed; make another view, or change view.ttl.ms.`,
  )
}

const isRemoval = ({ configOperation = configOperations.set }: Asked): boolean =>
  configOperation !== configOperations.set

/** Views ask by the pointers that their source indexes. */
function refuseLoss({ name }: Topic, { views }: Broker, next: Overrides): Refusal | undefined {
  const pointers = (next['revision.index.json'] ?? '').split(',').map((text) => plainPointer(text.trim()))
  for (const { name: view, config } of views.of(name)) {
    const pointer = config.view?.where?.pointer
    if (pointer !== undefined && !pointers.includes(pointer)) {
      return refuse(`revision.index.json: the view '${view}' asks by ${pointer}; delete it first, or keep the pointer.`)
    }
  }
  return undefined
}

const checked = (topic: Topic, broker: Broker, next: Overrides | Refusal): Overrides | Refusal =>
  next instanceof Refusal ? next : (refuseLoss(topic, broker, next) ?? next)

/** The overrides of a topic after operations. */
export function alterTopic(topic: Topic, broker: Broker, asked: readonly ConfigOperation[]): Overrides | Refusal {
  return refuseAsked(topic, asked) ?? checked(topic, broker, topic.config.alter(asked))
}

/** As alterTopic, all older overrides gone, but for those that say what a view is. */
export function replaceTopic(topic: Topic, broker: Broker, asked: readonly ConfigAssignment[]): Overrides | Refusal {
  const kept = Object.entries(topic.config.overrides())
    .filter(([name]) => isFixed(name) && !asked.some((one) => one.name === name))
    .map(([name, value]) => ({ name, value }))
  const refusal = refuseAsked(topic, asked)
  return refusal ?? checked(topic, broker, topic.config.replace([...kept, ...asked]))
}
