// The options by which an authorizer is switched on. Kafka's StandardAuthorizer reads the last two itself, so that DescribeConfigs
// knows them only where somebody has set them.

import { type BrokerRow, boolean, string } from './broker-config-row.ts'
import type { ConfigValue } from './config-table.ts'

const standardAuthorizer = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'

function checkClass(name: ConfigValue): string | undefined {
  if (name === '' || name === standardAuthorizer) return undefined
  return `authorizer.class.name=${String(name)} is not available: it is ${standardAuthorizer}, or empty for none.`
}

/** Of a list that is separated by semicolons, as names of certificates have commas. */
export const superUsersOf = (text: string): string[] =>
  text
    .split(';')
    .map((principal) => principal.trim())
    .filter((principal) => principal !== '')

function checkUsers(text: ConfigValue): string | undefined {
  const bad = superUsersOf(String(text)).find((principal) => !/^[^:]+:/.test(principal))
  if (bad === undefined) return undefined
  return `super.users: '${bad}' is no principal. Write them as User:NAME, separated by semicolons.`
}

export const authorizerRows: readonly BrokerRow[] = [
  string(
    'authorizer.class.name',
    '',
    `Who is asked whether somebody may do something: ${standardAuthorizer}, which goes by ACLs, or nobody (empty).`,
    {
      check: checkClass,
    },
  ),
  string('super.users', null, 'Principals (User:a;User:b) that may do everything where an authorizer is on.', {
    check: checkUsers,
    internal: true,
    ofPlugin: true,
  }),
  boolean(
    'allow.everyone.if.no.acl.found',
    null,
    'Where an authorizer is on: whether what no ACL speaks of is allowed to everybody.',
    { internal: true, ofPlugin: true },
  ),
]
