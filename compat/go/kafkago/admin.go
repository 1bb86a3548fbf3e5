// What an administrator asks.
package main

import (
	"errors"
	"io"
	"slices"

	"github.com/segmentio/kafka-go"
	"twiglog.compat/hand"
)

var resources = map[string]kafka.ResourceType{"topic": kafka.ResourceTypeTopic, "broker": kafka.ResourceTypeBroker, "group": 32}

var sources = map[int8]string{
	1: "DYNAMIC_TOPIC_CONFIG", 2: "DYNAMIC_BROKER_CONFIG", 3: "DYNAMIC_DEFAULT_BROKER_CONFIG",
	4: "STATIC_BROKER_CONFIG", 5: "DEFAULT_CONFIG", 8: "GROUP_CONFIG",
}

func (h *hands) createTopic(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	topic := kafka.TopicConfig{Topic: a.Topic, NumPartitions: int(a.PartitionCount()), ReplicationFactor: 1}
	for name, value := range a.Configs {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	answer, err := h.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, first(answer.Errors, nil)
}

func (h *hands) deleteTopic(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{a.Topic}})
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, first(answer.Errors, nil)
}

func (h *hands) listTopics(*hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, topic := range answer.Topics {
		names = append(names, topic.Name)
	}
	return map[string]any{"topics": names}, nil
}

func (h *hands) describeTopic(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{a.Topic}})
	if err != nil {
		return nil, err
	}
	if answer.Topics[0].Error != nil {
		return nil, answer.Topics[0].Error
	}
	partitions := make([]map[string]any, len(answer.Topics[0].Partitions))
	for _, p := range answer.Topics[0].Partitions {
		replicas := []int{}
		for _, r := range p.Replicas {
			replicas = append(replicas, r.ID)
		}
		partitions[p.ID] = map[string]any{"partition": p.ID, "leader": p.Leader.ID, "replicas": replicas}
	}
	return map[string]any{"partitions": partitions}, nil
}

func (h *hands) createPartitions(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	topics := []kafka.TopicPartitionsConfig{{Name: a.Topic, Count: a.Count}}
	answer, err := h.client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: topics})
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, first(answer.Errors, nil)
}

func (h *hands) describeConfigs(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
		{ResourceType: resources[a.Resource], ResourceName: a.Name, ConfigNames: a.Names},
	}})
	if err != nil {
		return nil, err
	}
	configs := map[string]any{}
	for _, found := range answer.Resources {
		if found.Error != nil {
			return nil, found.Error
		}
		for _, c := range found.ConfigEntries {
			configs[c.ConfigName] = map[string]any{"value": c.ConfigValue, "source": sources[c.ConfigSource], "readOnly": c.ReadOnly}
		}
	}
	return map[string]any{"configs": configs}, nil
}

func (h *hands) alterConfigs(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	resource := kafka.IncrementalAlterConfigsRequestResource{ResourceType: resources[a.Resource], ResourceName: a.Name}
	for name, value := range a.Set {
		resource.Configs = append(resource.Configs, kafka.IncrementalAlterConfigsRequestConfig{Name: name, Value: value, ConfigOperation: kafka.ConfigOperationSet})
	}
	for _, name := range a.Remove {
		resource.Configs = append(resource.Configs, kafka.IncrementalAlterConfigsRequestConfig{Name: name, ConfigOperation: kafka.ConfigOperationDelete})
	}
	answer, err := h.client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{resource}})
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, answer.Resources[0].Error
}

func (h *hands) replaceConfigs(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	resource := kafka.AlterConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: a.Name}
	for name, value := range a.Configs {
		resource.Configs = append(resource.Configs, kafka.AlterConfigRequestConfig{Name: name, Value: value})
	}
	answer, err := h.client.AlterConfigs(ctx, &kafka.AlterConfigsRequest{Resources: []kafka.AlterConfigRequestResource{resource}})
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, first(answer.Errors, nil)
}

func (h *hands) resolve(topic string, partition int32, at hand.Place, isolation string) (int64, error) {
	ctx, cancel := patiently()
	defer cancel()
	when := map[string]int64{"start": kafka.FirstOffset, "end": kafka.LastOffset, "": at.Timestamp}[at.Word]
	request := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {{Partition: int(partition), Timestamp: when}}}}
	if isolation == "read_committed" {
		request.IsolationLevel = kafka.ReadCommitted
	}
	answer, err := h.client.ListOffsets(ctx, request)
	for tries := 0; tries < 5 && errors.Is(err, io.ErrUnexpectedEOF); tries++ { // a connection it had kept is gone
		answer, err = h.client.ListOffsets(ctx, request)
	}
	if err != nil {
		return -1, err
	}
	found := answer.Topics[topic][0]
	if found.Error != nil {
		return -1, found.Error
	}
	switch at.Word {
	case "start":
		return found.FirstOffset, nil
	case "end":
		return found.LastOffset, nil
	}
	for offset := range found.Offsets {
		return offset, nil
	}
	return -1, nil
}

func (h *hands) offsetAt(a *hand.Ask) (any, error) {
	offset, err := h.resolve(a.Topic, a.Partition, hand.PlaceOf(a.At), a.Isolation)
	return map[string]int64{"offset": offset}, err
}

func (h *hands) describeCluster(*hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return nil, err
	}
	brokers := []map[string]any{}
	for _, b := range answer.Brokers {
		brokers = append(brokers, map[string]any{"id": b.ID, "host": b.Host, "port": b.Port})
	}
	return map[string]any{"clusterId": answer.ClusterID, "controller": answer.Controller.ID, "brokers": brokers}, nil
}

func (h *hands) listGroups(*hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err != nil {
		return nil, err
	}
	groups := []map[string]any{}
	for _, g := range answer.Groups {
		groups = append(groups, map[string]any{"group": g.GroupID, "state": nil, "type": nil})
	}
	return map[string]any{"groups": groups}, answer.Error
}

func (h *hands) describeGroup(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{a.Group}})
	if err != nil {
		return nil, err
	}
	g := answer.Groups[0]
	members := []map[string]any{}
	for _, m := range g.Members {
		assigned := []hand.TopicPartition{}
		for _, t := range m.MemberAssignments.Topics {
			for _, p := range t.Partitions {
				assigned = append(assigned, hand.TopicPartition{Topic: t.Topic, Partition: int32(p)})
			}
		}
		members = append(members, map[string]any{"clientId": m.ClientID, "instance": nil, "assigned": assigned})
	}
	return map[string]any{"state": g.GroupState, "protocol": nil, "members": members}, g.Error
}

func (h *hands) deleteGroup(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{a.Group}})
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, first(answer.Errors, nil)
}

func (h *hands) groupOffsets(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := h.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: a.Group, Topics: nil})
	if err != nil {
		return nil, err
	}
	offsets := []map[string]any{}
	for _, p := range answer.Topics[a.Topic] {
		if p.CommittedOffset >= 0 {
			offsets = append(offsets, map[string]any{"partition": p.Partition, "offset": p.CommittedOffset, "metadata": p.Metadata})
		}
	}
	return map[string]any{"offsets": offsets}, answer.Error
}

func (h *hands) deleteGroupOffsets(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	partitions := []int{}
	for _, p := range a.PartitionNumbers() {
		partitions = append(partitions, int(p))
	}
	answer, err := h.client.OffsetDelete(ctx, &kafka.OffsetDeleteRequest{GroupID: a.Group, Topics: map[string][]int{a.Topic: partitions}})
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(answer.Topics[a.Topic], func(p kafka.OffsetDeletePartition) bool { return p.Error != nil })
	if at >= 0 {
		return nil, answer.Topics[a.Topic][at].Error
	}
	return hand.Nothing{}, answer.Error
}

func (h *hands) setQuotas(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	entry := kafka.AlterClientQuotaEntry{Entities: []kafka.AlterClientQuotaEntity{{EntityType: "client-id", EntityName: a.ClientId}}}
	for name, value := range a.Quotas {
		op := kafka.AlterClientQuotaOps{Key: name, Remove: value == nil}
		if value != nil {
			op.Value = *value
		}
		entry.Ops = append(entry.Ops, op)
	}
	answer, err := h.client.AlterClientQuotas(ctx, &kafka.AlterClientQuotasRequest{Entries: []kafka.AlterClientQuotaEntry{entry}})
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, answer.Entries[0].Error
}

func (h *hands) describeQuotas(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	of := []kafka.DescribeClientQuotasRequestComponent{{EntityType: "client-id", MatchType: 0, Match: a.ClientId}}
	answer, err := h.client.DescribeClientQuotas(ctx, &kafka.DescribeClientQuotasRequest{Components: of, Strict: true})
	if err != nil {
		return nil, err
	}
	quotas := map[string]float64{}
	for _, entry := range answer.Entries {
		for _, value := range entry.Values {
			quotas[value.Key] = value.Value
		}
	}
	return map[string]any{"quotas": quotas}, answer.Error
}
