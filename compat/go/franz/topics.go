// Topics, configs, offsets, and the cluster.
package main

import (
	"slices"
	"sort"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"twiglog.compat/hand"
)

func (f *franz) createTopic(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	configs := map[string]*string{}
	for name, value := range a.Configs {
		configs[name] = kadm.StringPtr(value)
	}
	_, err := f.admin.CreateTopic(ctx, a.PartitionCount(), -1, configs, a.Topic)
	return hand.Nothing{}, err
}

func (f *franz) deleteTopic(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	if _, err := f.admin.DeleteTopic(ctx, a.Topic); err != nil {
		return nil, err
	}
	// kgo stays with the topic's id until it is told to forget the topic: another one of the same name is not taken for it.
	for _, p := range f.producers {
		p.client.PurgeTopicsFromProducing(a.Topic)
	}
	for _, c := range f.consumers {
		if slices.Contains(c.topics, a.Topic) {
			c.client.PurgeTopicsFromConsuming(a.Topic)
			c.client.AddConsumeTopics(a.Topic)
		}
	}
	return hand.Nothing{}, nil
}

func (f *franz) listTopics(*hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	topics, err := f.admin.ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"topics": topics.Names()}, nil
}

func (f *franz) describeTopic(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	topics, err := f.admin.ListTopicsWithInternal(ctx, a.Topic)
	if err != nil {
		return nil, err
	}
	topic := topics[a.Topic]
	if topic.Err != nil {
		return nil, topic.Err
	}
	partitions := []map[string]any{}
	for _, p := range topic.Partitions.Sorted() {
		partitions = append(partitions, map[string]any{"partition": p.Partition, "leader": p.Leader, "replicas": p.Replicas})
	}
	return map[string]any{"partitions": partitions}, nil
}

func (f *franz) createPartitions(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answers, err := f.admin.UpdatePartitions(ctx, int(a.Count), a.Topic)
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, answers[a.Topic].Err
}

var resources = map[string]kmsg.ConfigResourceType{
	"topic": kmsg.ConfigResourceTypeTopic, "broker": kmsg.ConfigResourceTypeBroker, "group": kmsg.ConfigResourceTypeGroupConfig,
}

func (f *franz) describeConfigs(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName, resource.ConfigNames = resources[a.Resource], a.Name, a.Names
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.Resources = append(request.Resources, resource)
	answer, err := request.RequestWith(ctx, f.wire)
	if err != nil {
		return nil, err
	}
	configs := map[string]any{}
	for _, described := range answer.Resources {
		if err := kerr.ErrorForCode(described.ErrorCode); err != nil {
			return nil, err
		}
		for _, c := range described.Configs {
			configs[c.Name] = map[string]any{"value": c.Value, "source": c.Source.String(), "readOnly": c.ReadOnly}
		}
	}
	return map[string]any{"configs": configs}, nil
}

func (f *franz) alterConfigs(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = resources[a.Resource], a.Name
	for name, value := range a.Set {
		change := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		change.Name, change.Value, change.Op = name, kadm.StringPtr(value), kmsg.IncrementalAlterConfigOpSet
		resource.Configs = append(resource.Configs, change)
	}
	for _, name := range a.Remove {
		change := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		change.Name, change.Op = name, kmsg.IncrementalAlterConfigOpDelete
		resource.Configs = append(resource.Configs, change)
	}
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	answer, err := request.RequestWith(ctx, f.wire)
	if err != nil {
		return nil, err
	}
	for _, altered := range answer.Resources {
		if err := kerr.ErrorForCode(altered.ErrorCode); err != nil {
			return nil, err
		}
	}
	return hand.Nothing{}, nil
}

func (f *franz) replaceConfigs(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	var changes []kadm.AlterConfig
	for name, value := range a.Configs {
		changes = append(changes, kadm.AlterConfig{Name: name, Value: kadm.StringPtr(value)})
	}
	answers, err := f.admin.AlterTopicConfigsState(ctx, changes, a.Name)
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

func (f *franz) deleteRecords(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	before := kadm.Offsets{}
	before.AddOffset(a.Topic, a.Partition, a.Before, -1)
	answers, err := f.admin.DeleteRecords(ctx, before)
	if err != nil {
		return nil, err
	}
	return hand.Nothing{}, answers.Error()
}

// resolve asks ListOffsets in kmsg: kadm has no isolation level per question.
func (f *franz) resolve(topic string, partition int32, at hand.Place, isolation string) (int64, error) {
	ctx, cancel := patiently()
	defer cancel()
	asked := kmsg.NewListOffsetsRequestTopicPartition()
	asked.Partition, asked.Timestamp = partition, map[string]int64{"start": -2, "end": -1, "youngest": -3, "": at.Timestamp}[at.Word]
	in := kmsg.NewListOffsetsRequestTopic()
	in.Topic, in.Partitions = topic, append(in.Partitions, asked)
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID, request.Topics = -1, append(request.Topics, in)
	if isolation == "read_committed" {
		request.IsolationLevel = 1
	}
	answer, err := request.RequestWith(ctx, f.wire)
	if err != nil {
		return -1, err
	}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			return p.Offset, kerr.ErrorForCode(p.ErrorCode)
		}
	}
	return -1, hand.Client("nothing was answered for %s-%d", topic, partition)
}

func (f *franz) offsetAt(a *hand.Ask) (any, error) {
	offset, err := f.resolve(a.Topic, a.Partition, hand.PlaceOf(a.At), a.Isolation)
	return map[string]int64{"offset": offset}, err
}

func (f *franz) describeCluster(*hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	answer, err := kmsg.NewPtrDescribeClusterRequest().RequestWith(ctx, f.wire)
	if err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return nil, err
	}
	brokers := []map[string]any{}
	for _, b := range answer.Brokers {
		brokers = append(brokers, map[string]any{"id": b.NodeID, "host": b.Host, "port": b.Port})
	}
	return map[string]any{"clusterId": answer.ClusterID, "controller": answer.ControllerID, "brokers": brokers}, nil
}

func (f *franz) describeLogDirs(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	of := kadm.TopicsSet{}
	topics, err := f.admin.ListTopics(ctx, a.Topic)
	if err != nil {
		return nil, err
	}
	for p := range topics[a.Topic].Partitions {
		of.Add(a.Topic, p)
	}
	all, err := f.admin.DescribeAllLogDirs(ctx, of)
	if err != nil {
		return nil, err
	}
	bytes := map[int32]int64{}
	all.Each(func(dir kadm.DescribedLogDir) {
		for p, described := range dir.Topics[a.Topic] {
			bytes[p] += described.Size
		}
	})
	sizes := []map[string]any{}
	for p, count := range bytes {
		sizes = append(sizes, map[string]any{"partition": p, "bytes": count})
	}
	sort.Slice(sizes, func(i, j int) bool { return sizes[i]["partition"].(int32) < sizes[j]["partition"].(int32) })
	return map[string]any{"sizes": sizes}, nil
}
