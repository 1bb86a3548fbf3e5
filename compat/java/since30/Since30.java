// What the admin client got in 3.0: transactions and producers, and the youngest record.
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

public final class Since30 implements Hand.Addition {
    @Override public void join(Hand hand) {
        for (String word : List.of("describeProducers", "describeTransaction", "listTransactions", "offsetAt.at=youngest")) hand.cannot.remove(word);
        Administrator administrator = hand.administrator;
        administrator.youngest = OffsetSpec.maxTimestamp();

        hand.verbs.put("describeProducers", ask -> {
            ObjectNode answer = Hand.json.createObjectNode();
            ArrayNode producers = answer.putArray("producers");
            TopicPartition partition = Consumers.partition(ask);
            var found = administrator.admin().describeProducers(List.of(partition)).partitionResult(partition).get();
            for (var each : found.activeProducers()) {
                producers.addObject().put("producerId", each.producerId()).put("epoch", each.producerEpoch())
                    .put("lastSequence", each.lastSequence()).put("openSince", each.currentTransactionStartOffset().orElse(-1));
            }
            return answer;
        });
        hand.verbs.put("listTransactions", ask -> {
            ObjectNode answer = Hand.json.createObjectNode();
            ArrayNode transactions = answer.putArray("transactions");
            for (var each : administrator.admin().listTransactions().all().get()) {
                transactions.addObject().put("transactionalId", each.transactionalId()).put("state", each.state().toString());
            }
            return answer;
        });
        hand.verbs.put("describeTransaction", ask -> {
            String transactionalId = ask.get("transactionalId").asText();
            var found = administrator.admin().describeTransactions(List.of(transactionalId)).description(transactionalId).get();
            ObjectNode answer = Hand.json.createObjectNode();
            answer.put("state", found.state().toString()).put("producerId", found.producerId()).put("epoch", found.producerEpoch());
            ArrayNode partitions = answer.putArray("partitions");
            for (TopicPartition each : found.topicPartitions()) Consumers.written(partitions.addObject(), each);
            return answer;
        });
    }
}
