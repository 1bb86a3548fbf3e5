// Begins with what was seeded, and sees no other file's records.
const { useBranch } = require('twiglog/jest')
const { read, send } = require('./kafka.js')

const branch = useBranch()

test('the first file writes and reads what is its own', async () => {
  await send(branch, 'orders', 'first')
  expect(await read(branch, 'orders', 2)).toEqual(['seeded', 'first'])
}, 30_000)
