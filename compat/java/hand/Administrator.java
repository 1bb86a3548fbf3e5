// What an administrator asks, with what the admin client of 2.8 can.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ListConsumerGroupsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ConsumerGroupState;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.quota.ClientQuotaFilterComponent;

public final class Administrator {
    private final Hand hand;
    private Admin admin;

    Administrator(Hand hand) {
        this.hand = hand;
        Map<String, Hand.Verb> verbs = hand.verbs;
        verbs.put("createTopic", this::createTopic);
        verbs.put("deleteTopic", ask -> done(admin().deleteTopics(List.of(ask.get("topic").asText())).all()));
        verbs.put("listTopics", ask -> Hand.json.createObjectNode().set("topics", Hand.json.valueToTree(admin().listTopics().names().get())));
        verbs.put("describeTopic", this::describeTopic);
        verbs.put("createPartitions", ask -> done(admin().createPartitions(
            Map.of(ask.get("topic").asText(), NewPartitions.increaseTo(ask.get("count").asInt()))).all()));
        verbs.put("describeConfigs", this::describeConfigs);
        verbs.put("alterConfigs", this::alterConfigs);
        verbs.put("deleteRecords", ask -> done(admin().deleteRecords(
            Map.of(Consumers.partition(ask), RecordsToDelete.beforeOffset(ask.get("before").asLong()))).all()));
        verbs.put("offsetAt", this::offsetAt);
        verbs.put("describeCluster", this::describeCluster);
        verbs.put("describeLogDirs", this::describeLogDirs);
        verbs.put("listGroups", this::listGroups);
        verbs.put("describeGroup", this::describeGroup);
        verbs.put("deleteGroup", ask -> done(admin().deleteConsumerGroups(List.of(ask.get("group").asText())).all()));
        verbs.put("groupOffsets", this::groupOffsets);
        verbs.put("setGroupOffsets", ask -> done(admin().alterConsumerGroupOffsets(
            ask.get("group").asText(), Consumers.offsets(ask.get("offsets"))).all()));
        verbs.put("deleteGroupOffsets", this::deleteGroupOffsets);
        verbs.put("setQuotas", this::setQuotas);
        verbs.put("describeQuotas", this::describeQuotas);
    }

    public Admin admin() {
        if (admin == null) admin = Admin.create(hand.settings());
        return admin;
    }

    public static JsonNode done(KafkaFuture<?> future) throws Exception {
        future.get();
        return null;
    }

    private JsonNode createTopic(JsonNode ask) throws Exception {
        Map<String, String> configs = new HashMap<>();
        ask.path("configs").fields().forEachRemaining(each -> configs.put(each.getKey(), each.getValue().asText()));
        NewTopic topic = new NewTopic(ask.get("topic").asText(), ask.get("partitions").asInt(), (short) 1).configs(configs);
        return done(admin().createTopics(List.of(topic)).all());
    }

    @SuppressWarnings("unchecked")
    private JsonNode describeTopic(JsonNode ask) throws Exception {
        Object result = admin().describeTopics(List.of(ask.get("topic").asText()));
        // Renamed in 3.1, and the old name is gone in 4.0.
        Object future;
        try {
            future = result.getClass().getMethod("allTopicNames").invoke(result);
        } catch (NoSuchMethodException older) {
            future = result.getClass().getMethod("all").invoke(result);
        }
        TopicDescription topic = ((KafkaFuture<Map<String, TopicDescription>>) future).get().values().iterator().next();
        ObjectNode answer = Hand.json.createObjectNode();
        ArrayNode partitions = answer.putArray("partitions");
        for (TopicPartitionInfo each : topic.partitions()) {
            ObjectNode partition = partitions.addObject().put("partition", each.partition());
            partition.put("leader", each.leader() == null ? -1 : each.leader().id());
            ArrayNode replicas = partition.putArray("replicas");
            for (Node replica : each.replicas()) replicas.add(replica.id());
        }
        return answer;
    }

    private static ConfigResource resource(JsonNode ask) {
        String kind = ask.get("resource").asText().toUpperCase();
        return new ConfigResource(ConfigResource.Type.valueOf(kind), ask.get("name").asText());
    }

    private JsonNode describeConfigs(JsonNode ask) throws Exception {
        ConfigResource resource = resource(ask);
        var found = admin().describeConfigs(List.of(resource)).all().get().get(resource);
        ObjectNode answer = Hand.json.createObjectNode();
        ObjectNode configs = answer.putObject("configs");
        for (JsonNode name : ask.get("names")) {
            ConfigEntry entry = found.get(name.asText());
            if (entry == null) continue;
            configs.putObject(name.asText()).put("value", entry.value()).put("source", entry.source().name()).put("readOnly", entry.isReadOnly());
        }
        return answer;
    }

    private JsonNode alterConfigs(JsonNode ask) throws Exception {
        Collection<AlterConfigOp> steps = new ArrayList<>();
        ask.path("set").fields().forEachRemaining(each -> steps.add(
            new AlterConfigOp(new ConfigEntry(each.getKey(), each.getValue().asText()), AlterConfigOp.OpType.SET)));
        for (JsonNode name : ask.path("remove")) {
            steps.add(new AlterConfigOp(new ConfigEntry(name.asText(), null), AlterConfigOp.OpType.DELETE));
        }
        return done(admin().incrementalAlterConfigs(Map.of(resource(ask), steps)).all());
    }

    /** Replaced by a newer client, which knows one place more. */
    public OffsetSpec place(JsonNode at) {
        if (at.isNumber()) return OffsetSpec.forTimestamp(at.asLong());
        return at.asText().equals("start") ? OffsetSpec.earliest() : youngest != null && at.asText().equals("youngest") ? youngest : OffsetSpec.latest();
    }

    public OffsetSpec youngest;

    private JsonNode offsetAt(JsonNode ask) throws Exception {
        IsolationLevel isolation = IsolationLevel.valueOf(ask.path("isolation").asText("read_uncommitted").toUpperCase());
        TopicPartition partition = Consumers.partition(ask);
        var result = admin().listOffsets(Map.of(partition, place(ask.get("at"))), new ListOffsetsOptions(isolation));
        return Hand.json.createObjectNode().put("offset", result.partitionResult(partition).get().offset());
    }

    private JsonNode describeCluster(JsonNode ask) throws Exception {
        var cluster = admin().describeCluster();
        ObjectNode answer = Hand.json.createObjectNode();
        answer.put("clusterId", cluster.clusterId().get()).put("controller", cluster.controller().get().id());
        ArrayNode brokers = answer.putArray("brokers");
        for (Node node : cluster.nodes().get()) brokers.addObject().put("id", node.id()).put("host", node.host()).put("port", node.port());
        return answer;
    }

    private JsonNode describeLogDirs(JsonNode ask) throws Exception {
        List<Integer> brokers = new ArrayList<>();
        for (Node node : admin().describeCluster().nodes().get()) brokers.add(node.id());
        Map<Integer, Long> sizes = new TreeMap<>();
        for (var ofBroker : admin().describeLogDirs(brokers).allDescriptions().get().values()) {
            for (var directory : ofBroker.values()) {
                directory.replicaInfos().forEach((partition, replica) -> {
                    if (partition.topic().equals(ask.get("topic").asText())) sizes.merge(partition.partition(), replica.size(), Long::sum);
                });
            }
        }
        ObjectNode answer = Hand.json.createObjectNode();
        ArrayNode list = answer.putArray("sizes");
        sizes.forEach((partition, bytes) -> list.addObject().put("partition", partition).put("bytes", bytes));
        return answer;
    }

    private JsonNode listGroups(JsonNode ask) throws Exception {
        Set<ConsumerGroupState> states = new HashSet<>();
        for (JsonNode state : ask.path("states")) states.add(ConsumerGroupState.parse(state.asText()));
        ObjectNode answer = Hand.json.createObjectNode();
        ArrayNode groups = answer.putArray("groups");
        for (var group : admin().listConsumerGroups(new ListConsumerGroupsOptions().inStates(states)).all().get()) {
            groups.addObject().put("group", group.groupId()).put("state", group.state().map(Object::toString).orElse(null)).putNull("type");
        }
        return answer;
    }

    private JsonNode describeGroup(JsonNode ask) throws Exception {
        String group = ask.get("group").asText();
        ConsumerGroupDescription found = admin().describeConsumerGroups(List.of(group)).all().get().get(group);
        ObjectNode answer = Hand.json.createObjectNode();
        answer.put("state", found.state().toString()).put("protocol", found.partitionAssignor());
        ArrayNode members = answer.putArray("members");
        for (MemberDescription each : found.members()) {
            ObjectNode member = members.addObject().put("clientId", each.clientId()).put("instance", each.groupInstanceId().orElse(null));
            ArrayNode assigned = member.putArray("assigned");
            for (TopicPartition partition : each.assignment().topicPartitions()) Consumers.written(assigned.addObject(), partition);
        }
        return answer;
    }

    private JsonNode groupOffsets(JsonNode ask) throws Exception {
        ObjectNode answer = Hand.json.createObjectNode();
        ArrayNode offsets = answer.putArray("offsets");
        admin().listConsumerGroupOffsets(ask.get("group").asText()).partitionsToOffsetAndMetadata().get().forEach((partition, committed) -> {
            if (committed == null || !partition.topic().equals(ask.get("topic").asText())) return;
            offsets.addObject().put("partition", partition.partition()).put("offset", committed.offset()).put("metadata", committed.metadata());
        });
        return answer;
    }

    private JsonNode deleteGroupOffsets(JsonNode ask) throws Exception {
        Set<TopicPartition> partitions = new HashSet<>();
        for (JsonNode each : ask.get("partitions")) partitions.add(new TopicPartition(ask.get("topic").asText(), each.asInt()));
        return done(admin().deleteConsumerGroupOffsets(ask.get("group").asText(), partitions).all());
    }

    private JsonNode setQuotas(JsonNode ask) throws Exception {
        var entity = new ClientQuotaEntity(Map.of(ClientQuotaEntity.CLIENT_ID, ask.get("clientId").asText()));
        List<ClientQuotaAlteration.Op> steps = new ArrayList<>();
        ask.get("quotas").fields().forEachRemaining(each -> steps.add(new ClientQuotaAlteration.Op(
            each.getKey(), each.getValue().isNull() ? null : each.getValue().asDouble())));
        return done(admin().alterClientQuotas(List.of(new ClientQuotaAlteration(entity, steps))).all());
    }

    private JsonNode describeQuotas(JsonNode ask) throws Exception {
        var filter = ClientQuotaFilter.containsOnly(
            List.of(ClientQuotaFilterComponent.ofEntity(ClientQuotaEntity.CLIENT_ID, ask.get("clientId").asText())));
        ObjectNode answer = Hand.json.createObjectNode();
        ObjectNode quotas = answer.putObject("quotas");
        for (var found : admin().describeClientQuotas(filter).entities().get().values()) found.forEach(quotas::put);
        return answer;
    }
}
