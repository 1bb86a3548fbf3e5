// The only list of clients: the name for `npm run compat -- NAME`, and the driver that plays it. The folder is the language.
export const drivers = {
  kafkajs: 'node/kafkajs.tap.ts',
  kcat: 'c/kcat.tap.ts',
  'franz-go': 'go/franz.tap.ts',
  console: 'java/console.tap.ts',
}
