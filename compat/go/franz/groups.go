// What an administrator asks of groups, producers, transactions and quotas.
package main

import (
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"twiglog.compat/hand"
)

// listGroups in kmsg: kadm does not tell a group's type.
func (f *franz) listGroups(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	request := kmsg.NewPtrListGroupsRequest()
	request.StatesFilter, request.TypesFilter = a.States, a.Types
	groups := []map[string]any{}
	for _, shard := range f.wire.RequestSharded(ctx, request) {
		if shard.Err != nil {
			return nil, shard.Err
		}
		answer := shard.Resp.(*kmsg.ListGroupsResponse)
		if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
			return nil, err
		}
		for _, g := range answer.Groups {
			groups = append(groups, map[string]any{"group": g.Group, "state": orNull(g.GroupState), "type": orNull(g.GroupType)})
		}
	}
	return map[string]any{"groups": groups}, nil
}

func orNull(word string) any {
	if word == "" {
		return nil
	}
	return word
}

type member struct {
	ClientId string                `json:"clientId"`
	Instance *string               `json:"instance"`
	Assigned []hand.TopicPartition `json:"assigned"`
}

func described(state, protocol string, members []member) any {
	return map[string]any{"state": state, "protocol": protocol, "members": members}
}

func listed(set kadm.TopicsSet) []hand.TopicPartition {
	list := []hand.TopicPartition{}
	for _, topic := range set.Sorted() {
		for _, p := range topic.Partitions {
			list = append(list, hand.TopicPartition{Topic: topic.Topic, Partition: p})
		}
	}
	return list
}

func (f *franz) describeGroup(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	members := []member{}
	switch a.Type {
	case "consumer":
		groups, err := f.admin.DescribeConsumerGroups(ctx, a.Group)
		if err == nil {
			err = groups[a.Group].Err
		}
		if err != nil {
			return nil, err
		}
		g := groups[a.Group]
		for _, m := range g.Members {
			members = append(members, member{m.ClientID, m.InstanceID, listed(m.Assignment)})
		}
		return described(g.State, g.AssignorName, members), nil
	case "share":
		groups, err := f.admin.DescribeShareGroups(ctx, a.Group)
		if err == nil {
			err = groups[a.Group].Err
		}
		if err != nil {
			return nil, err
		}
		g := groups[a.Group]
		for _, m := range g.Members {
			members = append(members, member{m.ClientID, nil, listed(m.Assignment)})
		}
		return described(g.GroupState, g.Assignor, members), nil
	}
	groups, err := f.admin.DescribeGroups(ctx, a.Group)
	if err == nil {
		err = groups[a.Group].Err
	}
	if err != nil {
		return nil, err
	}
	g := groups[a.Group]
	for _, m := range g.Members {
		set := kadm.TopicsSet{}
		if assignment, ok := m.Assigned.AsConsumer(); ok {
			for _, t := range assignment.Topics {
				set.Add(t.Topic, t.Partitions...)
			}
		}
		members = append(members, member{m.ClientID, m.InstanceID, listed(set)})
	}
	return described(g.State, g.Protocol, members), nil
}

func (f *franz) deleteGroup(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	_, err := f.admin.DeleteGroup(ctx, a.Group)
	return hand.Nothing{}, err
}

func (f *franz) groupOffsets(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	committed, err := f.admin.FetchOffsets(ctx, a.Group)
	if err != nil {
		return nil, err
	}
	offsets := []map[string]any{}
	for _, o := range committed.Sorted() {
		if o.Err != nil {
			return nil, o.Err
		}
		if o.Topic == a.Topic && o.At >= 0 {
			offsets = append(offsets, map[string]any{"partition": o.Partition, "offset": o.At, "metadata": o.Metadata})
		}
	}
	return map[string]any{"offsets": offsets}, nil
}

func (f *franz) setGroupOffsets(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	offsets := kadm.Offsets{}
	for _, o := range a.Offsets {
		offsets.Add(kadm.Offset{Topic: o.Topic, Partition: o.Partition, At: o.Offset, LeaderEpoch: -1, Metadata: o.Metadata})
	}
	return hand.Nothing{}, f.admin.CommitAllOffsets(ctx, a.Group, offsets)
}

func (f *franz) deleteGroupOffsets(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	set := kadm.TopicsSet{}
	set.Add(a.Topic, a.PartitionNumbers()...)
	answers, err := f.admin.DeleteOffsets(ctx, a.Group, set)
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, answers.Error()
}

func (f *franz) describeProducers(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	set := kadm.TopicsSet{}
	set.Add(a.Topic, a.Partition)
	answers, err := f.admin.DescribeProducers(ctx, set)
	if err != nil {
		return nil, err
	}
	partition := answers[a.Topic].Partitions[a.Partition]
	if partition.Err != nil {
		return nil, partition.Err
	}
	producers := []map[string]any{}
	for _, p := range partition.ActiveProducers.Sorted() {
		producers = append(producers, map[string]any{
			"producerId": p.ProducerID, "epoch": p.ProducerEpoch, "lastSequence": p.LastSequence, "openSince": p.CurrentTxnStartOffset,
		})
	}
	return map[string]any{"producers": producers}, nil
}

func (f *franz) listTransactions(*hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answers, err := f.admin.ListTransactions(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	transactions := []map[string]any{}
	for _, t := range answers.Sorted() {
		transactions = append(transactions, map[string]any{"transactionalId": t.TxnID, "state": t.State})
	}
	return map[string]any{"transactions": transactions}, nil
}

func (f *franz) describeTransaction(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answers, err := f.admin.DescribeTransactions(ctx, a.TransactionalId)
	if err != nil {
		return nil, err
	}
	t := answers[a.TransactionalId]
	if t.Err != nil {
		return nil, t.Err
	}
	return map[string]any{
		"state": t.State, "producerId": t.ProducerID, "epoch": t.ProducerEpoch, "partitions": listed(t.Topics),
	}, nil
}

func (f *franz) setQuotas(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	entry := kadm.AlterClientQuotaEntry{Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &a.ClientId}}}
	for name, value := range a.Quotas {
		op := kadm.AlterClientQuotaOp{Key: name, Remove: value == nil}
		if value != nil {
			op.Value = *value
		}
		entry.Ops = append(entry.Ops, op)
	}
	answers, err := f.admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{entry})
	if err != nil {
		return nil, err
	}
	for _, answer := range answers {
		if answer.Err != nil {
			return nil, answer.Err
		}
	}
	return hand.Nothing{}, nil
}

func (f *franz) describeQuotas(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	of := kadm.DescribeClientQuotaComponent{Type: "client-id", MatchName: &a.ClientId, MatchType: 0}
	answers, err := f.admin.DescribeClientQuotas(ctx, true, []kadm.DescribeClientQuotaComponent{of})
	if err != nil {
		return nil, err
	}
	quotas := map[string]float64{}
	for _, answer := range answers {
		for _, value := range answer.Values {
			quotas[value.Key] = value.Value
		}
	}
	return map[string]any{"quotas": quotas}, nil
}
