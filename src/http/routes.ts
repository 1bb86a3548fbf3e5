// All routes there are: what is served, what GET / lists and what the OpenAPI document tells is this list.

import { branchesRoute } from './branches.ts'
import { healthRoute, homeRoute } from './health.ts'
import { deleteKeyRoute, putKeyRoute } from './key-writing.ts'
import { keyInfoRoute, keyRoute } from './keys.ts'
import { metricsRoute } from './metrics.ts'
import { openApiRoute } from './openapi.ts'
import { postRecordsRoute } from './post-records.ts'
import { recordsRoute } from './records.ts'
import type { Route } from './route.ts'
import { tailRoute } from './tail.ts'
import { topicRoute, topicsRoute } from './topics.ts'

export const routes: readonly Route[] = [
  homeRoute(() => routes),
  topicsRoute,
  topicRoute,
  recordsRoute,
  postRecordsRoute,
  tailRoute,
  keyRoute,
  putKeyRoute,
  deleteKeyRoute,
  keyInfoRoute,
  branchesRoute,
  healthRoute,
  metricsRoute,
  openApiRoute(() => routes),
]
