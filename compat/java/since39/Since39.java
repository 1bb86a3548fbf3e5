// What 3.9 has as well: KIP-848's groups in the consumer (not yet production-ready there), groups by type in the admin client.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.admin.ListConsumerGroupsOptions;
import org.apache.kafka.common.ConsumerGroupState;
import org.apache.kafka.common.GroupType;

public final class Since39 implements Hand.Addition {
    @Override public void join(Hand hand) {
        for (String word : List.of("joinGroup.protocol=consumer", "listGroups.types", "describeGroup.type=consumer", "alterConfigs.resource=group")) {
            hand.cannot.remove(word);
        }
        hand.verbs.put("listGroups", ask -> {
            Set<ConsumerGroupState> states = new HashSet<>();
            for (JsonNode state : ask.path("states")) states.add(ConsumerGroupState.parse(state.asText()));
            Set<GroupType> types = new HashSet<>();
            for (JsonNode type : ask.path("types")) types.add(GroupType.parse(type.asText()));
            var options = new ListConsumerGroupsOptions().inStates(states).withTypes(types);
            ObjectNode answer = Hand.json.createObjectNode();
            ArrayNode groups = answer.putArray("groups");
            for (var group : hand.administrator.admin().listConsumerGroups(options).all().get()) {
                groups.addObject().put("group", group.groupId()).put("state", group.state().map(Object::toString).orElse(null))
                    .put("type", group.type().map(type -> type.toString().toLowerCase()).orElse(null));
            }
            return answer;
        });
    }
}
