// The only list of clients: the name for `npm run compat -- NAME`, and the driver that plays it. The folder is the language.
// One of each language comes first: where time is short (COMPAT_MINUTES) every language has had its turn.
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
