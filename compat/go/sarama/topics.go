// Topics, configs, offsets, and the cluster.
package main

import (
	"net"
	"strconv"

	"github.com/IBM/sarama"
	"twiglog.compat/hand"
)

func pointers(configs map[string]string) map[string]*string {
	entries := map[string]*string{}
	for name, value := range configs {
		entries[name] = &value
	}
	return entries
}

func (h *hands) createTopic(a *hand.Ask) (any, error) {
	detail := &sarama.TopicDetail{NumPartitions: a.PartitionCount(), ReplicationFactor: 1, ConfigEntries: pointers(a.Configs)}
	return hand.Nothing{}, h.admin.CreateTopic(a.Topic, detail, false)
}

func (h *hands) deleteTopic(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.admin.DeleteTopic(a.Topic)
}

func (h *hands) listTopics(*hand.Ask) (any, error) {
	topics, err := h.admin.ListTopics()
	names := []string{}
	for name := range topics {
		names = append(names, name)
	}
	return map[string]any{"topics": names}, err
}

func (h *hands) describeTopic(a *hand.Ask) (any, error) {
	topics, err := h.admin.DescribeTopics([]string{a.Topic})
	if err != nil {
		return nil, err
	}
	if topics[0].Err != sarama.ErrNoError {
		return nil, topics[0].Err
	}
	partitions := make([]map[string]any, len(topics[0].Partitions))
	for _, p := range topics[0].Partitions {
		partitions[p.ID] = map[string]any{"partition": p.ID, "leader": p.Leader, "replicas": p.Replicas}
	}
	return map[string]any{"partitions": partitions}, nil
}

func (h *hands) createPartitions(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.admin.CreatePartitions(a.Topic, a.Count, nil, false)
}

var resources = map[string]sarama.ConfigResourceType{
	"topic": sarama.TopicResource, "broker": sarama.BrokerResource, "group": 32,
}

var sources = map[sarama.ConfigSource]string{
	sarama.SourceTopic: "DYNAMIC_TOPIC_CONFIG", sarama.SourceDynamicBroker: "DYNAMIC_BROKER_CONFIG",
	sarama.SourceDynamicDefaultBroker: "DYNAMIC_DEFAULT_BROKER_CONFIG", sarama.SourceStaticBroker: "STATIC_BROKER_CONFIG",
	sarama.SourceDefault: "DEFAULT_CONFIG", 8: "GROUP_CONFIG",
}

func (h *hands) describeConfigs(a *hand.Ask) (any, error) {
	found, err := h.admin.DescribeConfig(sarama.ConfigResource{Type: resources[a.Resource], Name: a.Name, ConfigNames: a.Names})
	if err != nil {
		return nil, err
	}
	configs := map[string]any{}
	for _, c := range found {
		configs[c.Name] = map[string]any{"value": c.Value, "source": sources[c.Source], "readOnly": c.ReadOnly}
	}
	return map[string]any{"configs": configs}, nil
}

func (h *hands) alterConfigs(a *hand.Ask) (any, error) {
	entries := map[string]sarama.IncrementalAlterConfigsEntry{}
	for name, value := range a.Set {
		entries[name] = sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}
	}
	for _, name := range a.Remove {
		entries[name] = sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationDelete}
	}
	return hand.Nothing{}, h.admin.IncrementalAlterConfig(resources[a.Resource], a.Name, entries, false)
}

func (h *hands) replaceConfigs(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.admin.AlterConfig(sarama.TopicResource, a.Name, pointers(a.Configs), false)
}

func (h *hands) deleteRecords(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.admin.DeleteRecords(a.Topic, map[int32]int64{a.Partition: a.Before})
}

func (h *hands) resolve(topic string, partition int32, at hand.Place, isolation sarama.IsolationLevel) (int64, error) {
	when := map[string]int64{"start": sarama.OffsetOldest, "end": sarama.OffsetNewest, "": at.Timestamp}[at.Word]
	asked := map[string]map[int32]int64{topic: {partition: when}}
	found, err := h.admin.ListOffsets(asked, &sarama.ListOffsetsOptions{IsolationLevel: isolation})
	if err != nil {
		return -1, err
	}
	result := found[topic][partition]
	if result == nil {
		return -1, hand.Client("nothing was answered for %s-%d", topic, partition)
	}
	if result.Err != sarama.ErrNoError {
		return -1, result.Err
	}
	return result.Offset, nil
}

func isolation(a *hand.Ask) sarama.IsolationLevel {
	if a.ReadCommitted() {
		return sarama.ReadCommitted
	}
	return sarama.ReadUncommitted
}

func (h *hands) offsetAt(a *hand.Ask) (any, error) {
	offset, err := h.resolve(a.Topic, a.Partition, hand.PlaceOf(a.At), isolation(a))
	return map[string]int64{"offset": offset}, err
}

func (h *hands) describeCluster(*hand.Ask) (any, error) {
	brokers, controller, err := h.admin.DescribeCluster()
	if err != nil {
		return nil, err
	}
	asked, err := h.admin.Controller()
	if err != nil {
		return nil, err
	}
	answer, err := asked.GetMetadata(&sarama.MetadataRequest{Version: 7, Topics: []string{}})
	if err != nil {
		return nil, err
	}
	list := []map[string]any{}
	for _, b := range brokers {
		host, port, err := net.SplitHostPort(b.Addr())
		if err != nil {
			return nil, err
		}
		number, _ := strconv.Atoi(port)
		list = append(list, map[string]any{"id": b.ID(), "host": host, "port": number})
	}
	return map[string]any{"clusterId": answer.ClusterID, "controller": controller, "brokers": list}, nil
}

func (h *hands) describeLogDirs(a *hand.Ask) (any, error) {
	ids := []int32{}
	for _, b := range h.client.Brokers() {
		ids = append(ids, b.ID())
	}
	all, err := h.admin.DescribeLogDirs(ids)
	if err != nil {
		return nil, err
	}
	bytes := map[int32]int64{}
	for _, dirs := range all {
		for _, dir := range dirs {
			for _, topic := range dir.Topics {
				for _, p := range topic.Partitions {
					if topic.Topic == a.Topic {
						bytes[p.PartitionID] += p.Size
					}
				}
			}
		}
	}
	sizes := []map[string]any{}
	for p := int32(0); int(p) < len(bytes); p++ {
		sizes = append(sizes, map[string]any{"partition": p, "bytes": bytes[p]})
	}
	return map[string]any{"sizes": sizes}, nil
}
