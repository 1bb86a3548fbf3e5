// What the test files of this project do with any Kafka client.
const { Kafka, logLevel } = require('kafkajs')

const kafkaOf = ({ bootstrapServers }) => new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.ERROR })

exports.send = async (branch, topic, value) => {
  const producer = kafkaOf(branch).producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ value }] })
  await producer.disconnect()
}

/** The first `count` values. */
exports.read = async (branch, topic, count) => {
  const consumer = kafkaOf(branch).consumer({ groupId: `g-${Math.random()}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const values = []
  await new Promise((resolve, reject) => {
    const eachMessage = async ({ message }) => {
      if (values.push(String(message.value)) === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return values
}
