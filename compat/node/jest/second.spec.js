// Begins with what was seeded, and sees no other file's records.
const { useBranch } = require('twiglog/jest')
const { read, send } = require('./kafka.js')

const branch = useBranch()

test('the second file writes and reads what is its own', async () => {
  await send(branch, 'orders', 'second')
  expect(await read(branch, 'orders', 2)).toEqual(['seeded', 'second'])
}, 30_000)
