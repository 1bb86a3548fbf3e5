// The broker of the run, with what every test file begins with.
const { Kafka, logLevel } = require('kafkajs')
const { globalBroker } = require('twiglog/jest')

module.exports = globalBroker({
  topics: ['orders', { name: 'stock', partitions: 3 }],
  async seed(broker) {
    const producer = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.ERROR }).producer()
    await producer.connect()
    await producer.send({ topic: 'orders', messages: [{ key: '1', value: 'seeded' }] })
    await producer.disconnect()
  },
})
