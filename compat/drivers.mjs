// The only list of clients: the name for `npm run compat -- NAME`, and the driver that plays it. The folder is the language.
export const drivers = {
  'java-4.4': 'java/java-4.4.tap.ts',
  rskafka: 'rust/rskafka.tap.ts',
  'franz-go': 'go/franz.tap.ts',
  'confluent-kafka': 'python/confluent.tap.ts',
  librdkafka: 'c/librdkafka.tap.ts',
  kafkajs: 'node/kafkajs.tap.ts',
  console: 'java/console.tap.ts',
  streams: 'java/streams.tap.ts',
  connect: 'java/connect.tap.ts',
  'kafka-python': 'python/kafka_python.tap.ts',
  sarama: 'go/sarama.tap.ts',
  platformatic: 'node/platformatic.tap.ts',
  jest: 'node/jest.tap.ts',
  aiokafka: 'python/aio.tap.ts',
  'kafka-go': 'go/kafkago.tap.ts',
  kcat: 'c/kcat.tap.ts',
  'rust-rdkafka': 'rust/rdkafka.tap.ts',
  'java-3.9': 'java/java-3.9.tap.ts',
  'java-2.8': 'java/java-2.8.tap.ts',
  'confluent-javascript': 'node/confluent.tap.ts',
}

export function languageOf(file) {
  return file.slice(0, file.indexOf('/'))
}

/**
 * Where time is short (COMPAT_MINUTES): one of each language comes first, the others are five places further on each day, for
 * about so many are begun. Within a few days all of them are.
 */
export function inTurn(names, day) {
  const isFirst = (name) => names.find((each) => languageOf(drivers[each]) === languageOf(drivers[name])) === name
  const others = names.filter((name) => !isFirst(name))
  const at = (day * 5) % Math.max(1, others.length)
  return [...names.filter(isFirst), ...others.slice(at), ...others.slice(0, at)]
}
