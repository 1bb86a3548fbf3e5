// Producers and their transactions.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

final class Producers {
    private final Hand hand;
    private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    private final Map<String, String> acks = new HashMap<>();

    Producers(Hand hand) {
        this.hand = hand;
        hand.verbs.put("openProducer", this::open);
        hand.verbs.put("produce", this::produce);
        hand.verbs.put("beginTransaction", ask -> {
            named(ask).beginTransaction();
            return null;
        });
        hand.verbs.put("sendOffsets", this::sendOffsets);
        hand.verbs.put("commitTransaction", ask -> {
            named(ask).commitTransaction();
            return null;
        });
        hand.verbs.put("abortTransaction", ask -> {
            named(ask).abortTransaction();
            return null;
        });
        hand.verbs.put("closeProducer", ask -> {
            KafkaProducer<byte[], byte[]> producer = producers.remove(ask.get("producer").asText());
            if (producer != null) producer.close(Duration.ofSeconds(2));
            return null;
        });
    }

    private JsonNode open(JsonNode ask) {
        Map<String, Object> settings = hand.settings();
        settings.put("acks", ask.path("acks").asText("all"));
        settings.put("compression.type", ask.path("codec").asText("none"));
        settings.put("enable.idempotence", ask.path("idempotent").asBoolean() || ask.has("transactionalId"));
        settings.put("linger.ms", 5);
        settings.put("metadata.max.age.ms", 2_000);
        if (ask.has("batchBytes")) settings.put("batch.size", ask.get("batchBytes").asInt());
        if (ask.has("transactionalId")) settings.put("transactional.id", ask.get("transactionalId").asText());
        if (ask.has("transactionTimeoutMs")) settings.put("transaction.timeout.ms", ask.get("transactionTimeoutMs").asInt());
        var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        producers.put(ask.get("producer").asText(), producer);
        acks.put(ask.get("producer").asText(), (String) settings.get("acks"));
        if (ask.has("transactionalId")) producer.initTransactions();
        return null;
    }

    private KafkaProducer<byte[], byte[]> named(JsonNode ask) {
        KafkaProducer<byte[], byte[]> producer = producers.get(ask.get("producer").asText());
        if (producer == null) throw new IllegalStateException("no producer is open under this name");
        return producer;
    }

    private JsonNode produce(JsonNode ask) throws Exception {
        KafkaProducer<byte[], byte[]> producer = named(ask);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode each : ask.get("records")) sent.add(producer.send(record(ask.get("topic").asText(), each)));
        producer.flush();
        ObjectNode answer = Hand.json.createObjectNode();
        ArrayNode offsets = Hand.json.createArrayNode();
        for (Future<RecordMetadata> each : sent) offsets.add(each.get().offset());
        boolean isTold = !acks.get(ask.get("producer").asText()).equals("0");
        return isTold ? answer.set("offsets", offsets) : answer.putNull("offsets");
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, JsonNode given) {
        Integer partition = given.has("partition") ? given.get("partition").asInt() : null;
        Long timestamp = given.has("timestamp") ? given.get("timestamp").asLong() : null;
        var record = new ProducerRecord<>(topic, partition, timestamp, Hand.bytes(given.get("key")), Hand.bytes(given.get("value")));
        for (JsonNode header : given.get("headers")) record.headers().add(header.get(0).asText(), Hand.bytes(header.get(1)));
        return record;
    }

    private JsonNode sendOffsets(JsonNode ask) {
        Map<TopicPartition, OffsetAndMetadata> offsets = Consumers.offsets(ask.get("offsets"));
        ConsumerGroupMetadata group = ask.has("consumer")
            ? hand.consumers.named(ask).groupMetadata()
            : new ConsumerGroupMetadata(ask.get("group").asText());
        named(ask).sendOffsetsToTransaction(offsets, group);
        return null;
    }
}
