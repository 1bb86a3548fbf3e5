// What an administrator asks of groups, producers, transactions and quotas.
package main

import (
	"github.com/IBM/sarama"
	"twiglog.compat/hand"
)

func (h *hands) listGroups(*hand.Ask) (any, error) {
	found, err := h.admin.ListConsumerGroups()
	if err != nil {
		return nil, err
	}
	groups := []map[string]any{}
	for name := range found {
		groups = append(groups, map[string]any{"group": name, "state": nil, "type": nil})
	}
	return map[string]any{"groups": groups}, nil
}

func (h *hands) describeGroup(a *hand.Ask) (any, error) {
	found, err := h.admin.DescribeConsumerGroups([]string{a.Group})
	if err != nil {
		return nil, err
	}
	g := found[0]
	if g.Err != sarama.ErrNoError {
		return nil, g.Err
	}
	members := []map[string]any{}
	for _, m := range g.Members {
		assigned := []hand.TopicPartition{}
		if assignment, err := m.GetMemberAssignment(); err == nil && assignment != nil {
			for topic, partitions := range assignment.Topics {
				for _, p := range partitions {
					assigned = append(assigned, hand.TopicPartition{Topic: topic, Partition: p})
				}
			}
		}
		members = append(members, map[string]any{"clientId": m.ClientId, "instance": m.GroupInstanceId, "assigned": assigned})
	}
	return map[string]any{"state": g.State, "protocol": g.Protocol, "members": members}, nil
}

func (h *hands) deleteGroup(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.admin.DeleteConsumerGroup(a.Group)
}

func (h *hands) groupOffsets(a *hand.Ask) (any, error) {
	answer, err := h.admin.ListConsumerGroupOffsets(a.Group, nil)
	if err != nil {
		return nil, err
	}
	if answer.Err != sarama.ErrNoError {
		return nil, answer.Err
	}
	offsets := []map[string]any{}
	for p, block := range answer.Blocks[a.Topic] {
		if block.Err != sarama.ErrNoError {
			return nil, block.Err
		}
		if block.Offset >= 0 {
			offsets = append(offsets, map[string]any{"partition": p, "offset": block.Offset, "metadata": block.Metadata})
		}
	}
	return map[string]any{"offsets": offsets}, nil
}

func (h *hands) setGroupOffsets(a *hand.Ask) (any, error) {
	offsets := map[string]map[int32]sarama.OffsetAndMetadata{}
	for _, o := range a.Offsets {
		if offsets[o.Topic] == nil {
			offsets[o.Topic] = map[int32]sarama.OffsetAndMetadata{}
		}
		offsets[o.Topic][o.Partition] = sarama.OffsetAndMetadata{Offset: o.Offset, LeaderEpoch: -1, Metadata: o.Metadata}
	}
	answer, err := h.admin.AlterConsumerGroupOffsets(a.Group, offsets, nil)
	if err != nil {
		return nil, err
	}
	for _, partitions := range answer.Errors {
		for _, refusal := range partitions {
			if refusal != sarama.ErrNoError {
				return nil, refusal
			}
		}
	}
	return hand.Nothing{}, nil
}

func (h *hands) deleteGroupOffsets(a *hand.Ask) (any, error) {
	for _, p := range a.PartitionNumbers() {
		if err := h.admin.DeleteConsumerGroupOffset(a.Group, a.Topic, p); err != nil {
			return nil, err
		}
	}
	return hand.Nothing{}, nil
}

func (h *hands) describeProducers(a *hand.Ask) (any, error) {
	leader, err := h.client.Leader(a.Topic, a.Partition)
	if err != nil {
		return nil, err
	}
	answer, err := leader.DescribeProducers(&sarama.DescribeProducersRequest{Topics: []sarama.DescribeProducersRequestTopic{
		{Name: a.Topic, PartitionIndexes: []int32{a.Partition}},
	}})
	if err != nil {
		return nil, err
	}
	partition := answer.Topics[0].Partitions[0]
	if partition.ErrorCode != sarama.ErrNoError {
		return nil, partition.ErrorCode
	}
	producers := []map[string]any{}
	for _, p := range partition.ActiveProducers {
		producers = append(producers, map[string]any{
			"producerId": p.ProducerID, "epoch": p.ProducerEpoch, "lastSequence": p.LastSequence, "openSince": p.CurrentTxnStartOffset,
		})
	}
	return map[string]any{"producers": producers}, nil
}

func (h *hands) listTransactions(*hand.Ask) (any, error) {
	transactions := []map[string]any{}
	for _, b := range h.client.Brokers() {
		if connected, _ := b.Connected(); !connected {
			_ = b.Open(h.client.Config())
		}
		answer, err := b.ListTransactions(sarama.NewListTransactionsRequest(sarama.MaxVersion))
		if err != nil {
			return nil, err
		}
		if answer.ErrorCode != sarama.ErrNoError {
			return nil, answer.ErrorCode
		}
		for _, t := range answer.TransactionStates {
			transactions = append(transactions, map[string]any{"transactionalId": t.TransactionalID, "state": t.TransactionState})
		}
	}
	return map[string]any{"transactions": transactions}, nil
}

func (h *hands) describeTransaction(a *hand.Ask) (any, error) {
	coordinator, err := h.client.TransactionCoordinator(a.TransactionalId)
	if err != nil {
		return nil, err
	}
	answer, err := coordinator.DescribeTransactions(&sarama.DescribeTransactionsRequest{TransactionalIDs: []string{a.TransactionalId}})
	if err != nil {
		return nil, err
	}
	t := answer.TransactionStates[0]
	if t.ErrorCode != sarama.ErrNoError {
		return nil, t.ErrorCode
	}
	partitions := []hand.TopicPartition{}
	for _, topic := range t.Topics {
		for _, p := range topic.Partitions {
			partitions = append(partitions, hand.TopicPartition{Topic: topic.Topic, Partition: p})
		}
	}
	return map[string]any{"state": t.TransactionState, "producerId": t.ProducerID, "epoch": t.ProducerEpoch, "partitions": partitions}, nil
}

func (h *hands) setQuotas(a *hand.Ask) (any, error) {
	entity := []sarama.QuotaEntityComponent{{EntityType: sarama.QuotaEntityClientID, MatchType: sarama.QuotaMatchExact, Name: a.ClientId}}
	for name, value := range a.Quotas {
		op := sarama.ClientQuotasOp{Key: name, Remove: value == nil}
		if value != nil {
			op.Value = *value
		}
		if err := h.admin.AlterClientQuotas(entity, op, false); err != nil {
			return nil, err
		}
	}
	return hand.Nothing{}, nil
}

func (h *hands) describeQuotas(a *hand.Ask) (any, error) {
	of := []sarama.QuotaFilterComponent{{EntityType: sarama.QuotaEntityClientID, MatchType: sarama.QuotaMatchExact, Match: a.ClientId}}
	found, err := h.admin.DescribeClientQuotas(of, true)
	if err != nil {
		return nil, err
	}
	quotas := map[string]float64{}
	for _, entry := range found {
		for name, value := range entry.Values {
			quotas[name] = value
		}
	}
	return map[string]any{"quotas": quotas}, nil
}
