// What stands before every body. The client id keeps its int16 length even where the header is flexible.

import { int16, int32, string, table } from './schema.ts'

export const requestHeader = table('RequestHeader', '1-2', '2+', {
  requestApiKey: int16(),
  requestApiVersion: int16(),
  correlationId: int32(),
  clientId: string('0+', { nullable: '0+', flexible: 'none' }),
})

export const responseHeader = table('ResponseHeader', '0-1', '1+', {
  correlationId: int32(),
})
