// The only list of clients: the name for `npm run compat -- NAME`, and the driver that plays it. The folder is the language.
export const drivers = {
  kafkajs: 'node/kafkajs.tap.ts',
  platformatic: 'node/platformatic.tap.ts',
  kcat: 'c/kcat.tap.ts',
  'confluent-kafka': 'python/confluent.tap.ts',
  'kafka-python': 'python/kafka_python.tap.ts',
  aiokafka: 'python/aio.tap.ts',
  'franz-go': 'go/franz.tap.ts',
  sarama: 'go/sarama.tap.ts',
  'kafka-go': 'go/kafkago.tap.ts',
  rskafka: 'rust/rskafka.tap.ts',
  'java-4.4': 'java/java-4.4.tap.ts',
  'java-3.9': 'java/java-3.9.tap.ts',
  'java-2.8': 'java/java-2.8.tap.ts',
  console: 'java/console.tap.ts',
  streams: 'java/streams.tap.ts',
  connect: 'java/connect.tap.ts',
}
