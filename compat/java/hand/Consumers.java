// Consumers, alone and as members of groups.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public final class Consumers {
    private static final Map<String, String> assignors = Map.of(
        "range", "org.apache.kafka.clients.consumer.RangeAssignor",
        "roundrobin", "org.apache.kafka.clients.consumer.RoundRobinAssignor",
        "sticky", "org.apache.kafka.clients.consumer.StickyAssignor",
        "cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");

    /** Subscribes by a pattern that the broker matches, where the client can. */
    public interface BrokerPattern {
        void subscribe(KafkaConsumer<byte[], byte[]> consumer, String pattern);
    }

    public BrokerPattern brokerPattern = (consumer, pattern) -> consumer.subscribe(Pattern.compile(pattern));
    private final Hand hand;
    private final Map<String, KafkaConsumer<byte[], byte[]>> consumers = new HashMap<>();

    Consumers(Hand hand) {
        this.hand = hand;
        hand.verbs.put("openConsumer", this::open);
        hand.verbs.put("joinGroup", this::join);
        hand.verbs.put("poll", this::poll);
        hand.verbs.put("commitOffsets", ask -> {
            if (ask.has("offsets")) named(ask).commitSync(offsets(ask.get("offsets")));
            else named(ask).commitSync();
            return null;
        });
        hand.verbs.put("pause", ask -> {
            named(ask).pause(partitions(ask.get("partitions")));
            return null;
        });
        hand.verbs.put("resume", ask -> {
            named(ask).resume(partitions(ask.get("partitions")));
            return null;
        });
        hand.verbs.put("seek", ask -> {
            named(ask).seek(partition(ask), ask.get("offset").asLong());
            return null;
        });
        hand.verbs.put("closeConsumer", ask -> {
            KafkaConsumer<byte[], byte[]> consumer = consumers.remove(ask.get("consumer").asText());
            if (consumer != null) consumer.close(Duration.ofSeconds(5));
            return null;
        });
    }

    KafkaConsumer<byte[], byte[]> named(JsonNode ask) {
        KafkaConsumer<byte[], byte[]> consumer = consumers.get(ask.get("consumer").asText());
        if (consumer == null) throw new IllegalStateException("no consumer is open under this name");
        return consumer;
    }

    private KafkaConsumer<byte[], byte[]> made(JsonNode ask, Map<String, Object> settings) {
        settings.putAll(hand.settings());
        settings.put("enable.auto.commit", false);
        settings.put("allow.auto.create.topics", false);
        settings.put("auto.offset.reset", ask.path("reset").asText("earliest"));
        settings.put("isolation.level", ask.path("isolation").asText("read_uncommitted"));
        settings.put("metadata.max.age.ms", 1_000);
        settings.put("fetch.max.wait.ms", 100);
        var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumers.put(ask.get("consumer").asText(), consumer);
        return consumer;
    }

    private JsonNode open(JsonNode ask) {
        Map<String, Object> settings = new HashMap<>();
        if (ask.has("fetchBytes")) {
            settings.put("fetch.max.bytes", ask.get("fetchBytes").asInt());
            settings.put("max.partition.fetch.bytes", ask.get("fetchBytes").asInt());
        }
        KafkaConsumer<byte[], byte[]> consumer = made(ask, settings);
        TopicPartition partition = partition(ask);
        consumer.assign(List.of(partition));
        JsonNode from = ask.get("from");
        if (from.has("offset")) consumer.seek(partition, from.get("offset").asLong());
        else if (from.has("timestamp")) {
            var found = consumer.offsetsForTimes(Map.of(partition, from.get("timestamp").asLong())).get(partition);
            if (found == null) consumer.seekToEnd(List.of(partition));
            else consumer.seek(partition, found.offset());
        } else if (from.asText().equals("end")) consumer.seekToEnd(List.of(partition));
        else consumer.seekToBeginning(List.of(partition));
        consumer.position(partition); // settles the place
        return null;
    }

    private JsonNode join(JsonNode ask) {
        boolean isBrokers = ask.path("protocol").asText().equals("consumer");
        Map<String, Object> settings = new HashMap<>();
        settings.put("group.id", ask.get("group").asText());
        if (isBrokers) {
            settings.put("group.protocol", "consumer");
            if (ask.has("assignor")) settings.put("group.remote.assignor", ask.get("assignor").asText());
        } else {
            settings.put("heartbeat.interval.ms", 200);
            if (ask.has("sessionTimeoutMs")) settings.put("session.timeout.ms", ask.get("sessionTimeoutMs").asInt());
            if (ask.has("assignor")) settings.put("partition.assignment.strategy", assignors.get(ask.get("assignor").asText()));
        }
        if (ask.has("instance")) settings.put("group.instance.id", ask.get("instance").asText());
        KafkaConsumer<byte[], byte[]> consumer = made(ask, settings);
        if (ask.has("topics")) {
            List<String> topics = new ArrayList<>();
            for (JsonNode topic : ask.get("topics")) topics.add(topic.asText());
            consumer.subscribe(topics);
        } else if (isBrokers) brokerPattern.subscribe(consumer, ask.get("pattern").asText());
        else consumer.subscribe(Pattern.compile(ask.get("pattern").asText()));
        return null;
    }

    private JsonNode poll(JsonNode ask) {
        KafkaConsumer<byte[], byte[]> consumer = named(ask);
        ObjectNode answer = Hand.json.createObjectNode();
        ArrayNode records = answer.putArray("records");
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(ask.get("ms").asLong()))) records.add(read(record));
        ArrayNode assigned = answer.putArray("assigned");
        for (TopicPartition each : consumer.assignment()) written(assigned.addObject(), each);
        return answer;
    }

    public static ObjectNode read(ConsumerRecord<byte[], byte[]> record) {
        ObjectNode written = Hand.json.createObjectNode();
        written.put("topic", record.topic()).put("partition", record.partition()).put("offset", record.offset());
        written.put("timestamp", record.timestamp());
        written.put("key", Hand.text(record.key())).put("value", Hand.text(record.value()));
        written.set("headers", Hand.written(record.headers()));
        return written;
    }

    public static ObjectNode written(ObjectNode to, TopicPartition partition) {
        return to.put("topic", partition.topic()).put("partition", partition.partition());
    }

    public static TopicPartition partition(JsonNode given) {
        return new TopicPartition(given.get("topic").asText(), given.get("partition").asInt());
    }

    public static List<TopicPartition> partitions(JsonNode given) {
        List<TopicPartition> list = new ArrayList<>();
        for (JsonNode each : given) list.add(partition(each));
        return list;
    }

    static Map<TopicPartition, OffsetAndMetadata> offsets(JsonNode given) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (JsonNode each : given) {
            offsets.put(partition(each), new OffsetAndMetadata(each.get("offset").asLong(), each.path("metadata").asText("")));
        }
        return offsets;
    }
}
