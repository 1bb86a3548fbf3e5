// DeleteTopics, key 20: versions 1-6, flexible from 4.
//   v5: answer +errorMessage
//   v6: request +topics -topicNames; answer +topicId

import { api, array, int16, int32, string, uuid } from '../schema.ts'

export const deleteTopics = api(
  20,
  'DeleteTopics',
  '1-6',
  '4+',
  {
    topics: array(
      {
        name: string('6+', { nullable: '6+', default: null }),
        topicId: uuid('6+'),
      },
      '6+',
    ),
    topicNames: array(string(), '0-5'),
    timeoutMs: int32(),
  },
  {
    throttleTimeMs: int32('0+'),
    responses: array({
      name: string('0+', { nullable: '6+' }),
      topicId: uuid('6+'),
      errorCode: int16(),
      errorMessage: string('5+', { nullable: '5+', default: null }),
    }),
  },
)
