// What 4.1 has as well: patterns that the broker matches, groups of every type, share groups.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public final class Since41 implements Hand.Addition {
    private final Map<String, KafkaShareConsumer<byte[], byte[]>> consumers = new HashMap<>();
    private final Map<String, Map<String, ConsumerRecord<byte[], byte[]>>> delivered = new HashMap<>();
    /** Came while something else was waited for. */
    private final Map<String, List<ConsumerRecord<byte[], byte[]>>> early = new HashMap<>();

    @Override public void join(Hand hand) {
        for (String word : List.of("joinShare", "describeGroup.type=share")) hand.cannot.remove(word);
        hand.consumers.brokerPattern = (consumer, pattern) -> consumer.subscribe(new SubscriptionPattern(pattern));
        Hand.Verb describeOther = hand.verbs.get("describeGroup");
        hand.verbs.put("describeGroup", ask -> ask.path("type").asText().equals("share") ? describeShare(hand, ask) : describeOther.does(ask));
        hand.verbs.put("listGroups", ask -> listGroups(hand, ask));
        hand.verbs.put("joinShare", ask -> joinShare(hand, ask));
        hand.verbs.put("pollShare", this::pollShare);
        hand.verbs.put("acknowledge", this::acknowledge);
        hand.verbs.put("renew", this::renew);
        hand.verbs.put("closeShare", ask -> {
            KafkaShareConsumer<byte[], byte[]> consumer = consumers.remove(ask.get("consumer").asText());
            if (consumer != null) consumer.close(Duration.ofSeconds(5));
            return null;
        });
    }

    private static JsonNode listGroups(Hand hand, JsonNode ask) throws Exception {
        Set<GroupState> states = new HashSet<>();
        for (JsonNode state : ask.path("states")) states.add(GroupState.parse(state.asText()));
        Set<GroupType> types = new HashSet<>();
        for (JsonNode type : ask.path("types")) types.add(GroupType.parse(type.asText()));
        ObjectNode answer = Hand.json.createObjectNode();
        ArrayNode groups = answer.putArray("groups");
        for (var group : hand.administrator.admin().listGroups(new ListGroupsOptions().inGroupStates(states).withTypes(types)).all().get()) {
            groups.addObject().put("group", group.groupId()).put("state", group.groupState().map(Object::toString).orElse(null))
                .put("type", group.type().map(type -> type.toString().toLowerCase()).orElse(null));
        }
        return answer;
    }

    private static JsonNode describeShare(Hand hand, JsonNode ask) throws Exception {
        String group = ask.get("group").asText();
        var found = hand.administrator.admin().describeShareGroups(List.of(group)).all().get().get(group);
        ObjectNode answer = Hand.json.createObjectNode();
        answer.put("state", found.groupState().toString()).putNull("protocol");
        ArrayNode members = answer.putArray("members");
        for (var each : found.members()) {
            ObjectNode member = members.addObject().put("clientId", each.clientId()).putNull("instance");
            ArrayNode assigned = member.putArray("assigned");
            for (TopicPartition partition : each.assignment().topicPartitions()) Consumers.written(assigned.addObject(), partition);
        }
        return answer;
    }

    private JsonNode joinShare(Hand hand, JsonNode ask) {
        Map<String, Object> settings = hand.settings();
        settings.put("group.id", ask.get("group").asText());
        settings.put("share.acknowledgement.mode", "explicit");
        settings.put("metadata.max.age.ms", 1_000);
        var consumer = new KafkaShareConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        List<String> topics = new ArrayList<>();
        for (JsonNode topic : ask.get("topics")) topics.add(topic.asText());
        consumer.subscribe(topics);
        consumers.put(ask.get("consumer").asText(), consumer);
        delivered.put(ask.get("consumer").asText(), new HashMap<>());
        return null;
    }

    private JsonNode pollShare(JsonNode ask) {
        ObjectNode answer = Hand.json.createObjectNode();
        ArrayNode records = answer.putArray("records");
        var held = delivered.get(ask.get("consumer").asText());
        held.clear();
        List<ConsumerRecord<byte[], byte[]>> came = early.remove(ask.get("consumer").asText());
        if (came == null) {
            came = new ArrayList<>();
            for (var record : consumers.get(ask.get("consumer").asText()).poll(Duration.ofMillis(ask.get("ms").asLong()))) came.add(record);
        }
        for (var record : came) {
            held.put(place(record), record);
            ObjectNode written = Consumers.read(record);
            record.deliveryCount().ifPresent(count -> written.put("deliveryCount", count));
            records.add(written);
        }
        return answer;
    }

    private static String place(ConsumerRecord<byte[], byte[]> record) {
        return record.topic() + " " + record.partition() + " " + record.offset();
    }

    private JsonNode acknowledge(JsonNode ask) {
        for (JsonNode each : ask.get("of")) acknowledge(ask, each, AcknowledgeType.valueOf(each.get("as").asText().toUpperCase()));
        return sent(ask);
    }

    private JsonNode renew(JsonNode ask) {
        AcknowledgeType renewal;
        try {
            renewal = AcknowledgeType.valueOf("RENEW"); // since 4.2
        } catch (IllegalArgumentException older) {
            throw new Hand.Cannot("this Java client has no renewal");
        }
        for (JsonNode each : ask.get("of")) acknowledge(ask, each, renewal);
        sent(ask);
        // The client gives renewed records once more; only then can they be acknowledged.
        String name = ask.get("consumer").asText();
        for (int again = 0, tries = 0; again < ask.get("of").size() && tries < 20; tries++) {
            for (var record : consumers.get(name).poll(Duration.ofMillis(100))) {
                if (delivered.get(name).put(place(record), record) == null) early.computeIfAbsent(name, any -> new ArrayList<>()).add(record);
                else again++;
            }
        }
        return null;
    }

    private void acknowledge(JsonNode ask, JsonNode each, AcknowledgeType as) {
        String name = ask.get("consumer").asText();
        String place = each.get("topic").asText() + " " + each.get("partition").asInt() + " " + each.get("offset").asLong();
        consumers.get(name).acknowledge(delivered.get(name).get(place), as);
    }

    private JsonNode sent(JsonNode ask) {
        for (var failure : consumers.get(ask.get("consumer").asText()).commitSync().values()) if (failure.isPresent()) throw failure.get();
        return null;
    }
}
