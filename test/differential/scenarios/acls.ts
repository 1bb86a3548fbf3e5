// ACLs where an authorizer is on, for brokers of their own: `authorizer.class.name=…StandardAuthorizer` and `super.users=User:ANONYMOUS`. They
// begin without any and end so.

import { describeAcls } from '../../../protocol/messages/29-describe-acls.ts'
import { createAcls } from '../../../protocol/messages/30-create-acls.ts'
import { deleteAcls } from '../../../protocol/messages/31-delete-acls.ts'
import type { Side } from '../side.ts'

const any = {
  resourceTypeFilter: 1,
  resourceNameFilter: null as string | null,
  patternTypeFilter: 1,
  principalFilter: null as string | null,
  hostFilter: null as string | null,
  operation: 1,
  permissionType: 1,
}
const one = {
  resourceType: 2,
  resourceName: 'orders',
  resourcePatternType: 3,
  principal: 'User:a',
  host: '*',
  operation: 3,
  permissionType: 3,
}
const codes = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 127]

export async function aclsOnScenario(side: Side): Promise<void> {
  const describe = async (label: string, filter: Partial<typeof any> = {}) =>
    side.each(label, describeAcls, { ...any, ...filter })
  /** What is there is told, and all of it goes. */
  const clear = async (label: string) => {
    await side.settle()
    await describe(label)
    await side.ask(`${label}, all deleted`, deleteAcls, 3, { filters: [any] })
    await side.settle()
  }
  const make = async (label: string, ...creations: Partial<typeof one>[]) => {
    const all = creations.map((creation) => ({ ...one, ...creation }))
    await side.ask(label, createAcls, 3, { creations: all })
    await clear(label)
  }

  await clear('none')
  await side.each('made in every version', createAcls, { creations: [one, one] })
  await clear('made in every version')
  for (const code of codes) {
    await make(`resource type ${code}`, { resourceType: code }, {})
    await make(`pattern type ${code}`, { resourcePatternType: code }, {})
    await make(`operation ${code}`, { operation: code }, {})
    await make(`permission ${code}`, { permissionType: code }, {})
  }
  await make('two unknowns', { resourceType: 99, operation: 99 }, { resourcePatternType: 99, resourceName: '' }, {})
  for (const resourceName of ['', '*', 'kafka-cluster', ' ', 'a b', '\u00e9', 'x'.repeat(300)]) {
    await make(`topic «${resourceName}»`, { resourceName })
    await make(`prefix «${resourceName}»`, { resourceName, resourcePatternType: 4 })
    await make(`cluster «${resourceName}»`, { resourceName, resourceType: 4 })
  }
  await make('cluster by prefix', { resourceName: 'kafka', resourceType: 4, resourcePatternType: 4 })
  for (const principal of ['', 'a', ':', 'User:', ':a', 'User:a:b', 'User:*', '*', 'Group:x'])
    await make(`principal «${principal}»`, { principal }, {})
  for (const host of ['', '*', '::1', 'localhost', 'x y']) await make(`host «${host}»`, { host })

  const creations = [
    one,
    { ...one, operation: 4 },
    { ...one, operation: 4, permissionType: 2 },
    { ...one, principal: 'User:*' },
    { ...one, host: '10.0.0.1' },
    { ...one, resourceName: 'ord', resourcePatternType: 4 },
    { ...one, resourceName: 'orders', resourcePatternType: 4 },
    { ...one, resourceName: '*' },
    { ...one, resourceType: 3 },
    { ...one, resourceType: 4, resourceName: 'kafka-cluster', operation: 8 },
    { ...one, resourceType: 5, resourceName: 'tx' },
    { ...one, resourceType: 7, resourceName: 'User:b', operation: 13 },
  ]
  await side.ask('many', createAcls, 3, { creations })
  await side.ask('some of them again', createAcls, 3, { creations: creations.slice(3, 6) })
  await side.settle()
  const filters: Partial<typeof any>[] = [
    ...codes.flatMap((code) => [
      { resourceTypeFilter: code },
      { patternTypeFilter: code },
      { operation: code },
      { permissionType: code },
    ]),
    ...[null, '', '*', 'o', 'ord', 'order', 'orders', 'orders2', 'kafka-cluster', 'tx'].flatMap((name) =>
      [1, 2, 3, 4].map((patternTypeFilter) => ({ patternTypeFilter, resourceNameFilter: name })),
    ),
    ...['', 'User:a', 'User:*', 'User:none', 'a'].map((principalFilter) => ({ principalFilter })),
    ...['', '*', '10.0.0.1', '10.0.0.2'].map((hostFilter) => ({ hostFilter })),
  ]
  for (const filter of filters) await describe(JSON.stringify(filter), filter)
  for (const filter of filters) {
    await side.ask(`delete ${JSON.stringify(filter)}`, deleteAcls, 3, { filters: [{ ...any, ...filter }, any] })
    await side.ask('many again', createAcls, 3, { creations })
    await side.settle()
  }
  await side.ask('no filter', deleteAcls, 3, { filters: [] })
  await side.ask('nothing to make', createAcls, 3, { creations: [] })
  await side.ask('one that is not known beside one that is', deleteAcls, 3, {
    filters: [
      { ...any, operation: 99 },
      { ...any, resourceTypeFilter: 99, operation: 99 },
      { ...any, operation: 4 },
    ],
  })
  await clear('in the end')
}
