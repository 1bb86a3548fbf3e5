// Consumers: one partition without a group, or a member of one.
package main

import (
	"context"
	"errors"
	"sort"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"twiglog.compat/hand"
)

type consumer struct {
	client *kgo.Client
	topics []string // subscribed to by name
	mu     sync.Mutex
	owned  map[hand.TopicPartition]struct{}
	behind map[hand.TopicPartition]kgo.EpochOffset // behind the last record that poll gave
}

func (c *consumer) gained(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, partitions := range topics {
		for _, p := range partitions {
			c.owned[hand.TopicPartition{Topic: topic, Partition: p}] = struct{}{}
		}
	}
}

func (c *consumer) lost(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, partitions := range topics {
		for _, p := range partitions {
			delete(c.owned, hand.TopicPartition{Topic: topic, Partition: p})
			delete(c.behind, hand.TopicPartition{Topic: topic, Partition: p})
		}
	}
}

func (c *consumer) assigned() []hand.TopicPartition {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := []hand.TopicPartition{}
	for p := range c.owned {
		list = append(list, p)
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].Topic < list[j].Topic || list[i].Topic == list[j].Topic && list[i].Partition < list[j].Partition
	})
	return list
}

func (f *franz) reading(a *hand.Ask) []kgo.Opt {
	options := []kgo.Opt{
		kgo.SeedBrokers(f.seed), kgo.ClientID(f.clientID), kgo.FetchMaxWait(250 * time.Millisecond), kgo.AlwaysRetryEOF(),
		kgo.MetadataMinAge(100 * time.Millisecond), kgo.MetadataMaxAge(2 * time.Second),
	}
	if a.ReadCommitted() {
		options = append(options, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if a.FetchBytes > 0 {
		options = append(options, kgo.FetchMaxBytes(a.FetchBytes), kgo.FetchMaxPartitionBytes(a.FetchBytes),
			kgo.BrokerMaxReadBytes(2*a.FetchBytes+(100<<20)))
	}
	return options
}

func (f *franz) openConsumer(a *hand.Ask) (any, error) {
	place := hand.PlaceOf(a.From)
	at := place.Offset
	if place.Word != "offset" {
		var err error
		if at, err = f.resolve(a.Topic, a.Partition, place, a.Isolation); err != nil {
			return nil, err
		}
		if at < 0 { // no record is that young: what comes is
			if at, err = f.resolve(a.Topic, a.Partition, hand.Place{Word: "end"}, a.Isolation); err != nil {
				return nil, err
			}
		}
	}
	client, err := kgo.NewClient(append(f.reading(a), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		a.Topic: {a.Partition: kgo.NewOffset().At(at)},
	}))...)
	if err != nil {
		return nil, err
	}
	only := hand.TopicPartition{Topic: a.Topic, Partition: a.Partition}
	f.consumers[a.Consumer] = &consumer{
		client: client, owned: map[hand.TopicPartition]struct{}{only: {}}, behind: map[hand.TopicPartition]kgo.EpochOffset{},
	}
	return hand.Nothing{}, nil
}

func (f *franz) joinGroup(a *hand.Ask) (any, error) {
	c := &consumer{topics: a.Topics, owned: map[hand.TopicPartition]struct{}{}, behind: map[hand.TopicPartition]kgo.EpochOffset{}}
	reset := kgo.NewOffset().AtStart()
	if a.Reset == "latest" {
		reset = kgo.NewOffset().AtEnd()
	}
	options := append(f.reading(a),
		kgo.ConsumerGroup(a.Group), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(reset),
		kgo.OnPartitionsAssigned(c.gained), kgo.OnPartitionsRevoked(c.lost), kgo.OnPartitionsLost(c.lost))
	if a.Pattern != "" {
		options = append(options, kgo.ConsumeRegex(), kgo.ConsumeTopics(a.Pattern))
	} else {
		options = append(options, kgo.ConsumeTopics(a.Topics...))
	}
	if a.Protocol == "consumer" {
		if a.Assignor != "" && a.Assignor != "uniform" && a.Assignor != "range" {
			return nil, hand.Cannot("franz-go asks only for assignors of the broker that it has itself")
		}
		if a.Instance != "" {
			return nil, hand.Cannot("a static member of kgo 1.22 leaves a KIP-848 group without its instance id, so that no other can take its place before the session ends")
		}
		balancer := map[string]kgo.GroupBalancer{"": kgo.StickyBalancer(), "uniform": kgo.StickyBalancer(), "range": kgo.RangeBalancer()}[a.Assignor]
		options = append(options, kgo.ServerSideBalancer(), kgo.Balancers(balancer))
	} else if a.Assignor != "" {
		options = append(options, kgo.Balancers(map[string]kgo.GroupBalancer{
			"range": kgo.RangeBalancer(), "roundrobin": kgo.RoundRobinBalancer(),
			"sticky": kgo.StickyBalancer(), "cooperative-sticky": kgo.CooperativeStickyBalancer(),
		}[a.Assignor]))
	}
	if a.Instance != "" {
		options = append(options, kgo.InstanceID(a.Instance))
	}
	if a.SessionTimeoutMs > 0 && a.Protocol != "consumer" {
		session := time.Duration(a.SessionTimeoutMs) * time.Millisecond
		options = append(options, kgo.SessionTimeout(session), kgo.HeartbeatInterval(min(3*time.Second, session/3)))
	} else {
		options = append(options, kgo.HeartbeatInterval(time.Second))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	c.client = client
	f.consumers[a.Consumer] = c
	return hand.Nothing{}, nil
}

func (f *franz) poll(a *hand.Ask) (any, error) {
	c := f.consumers[a.Consumer]
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Ms)*time.Millisecond)
	defer cancel()
	fetches := c.client.PollFetches(ctx)
	if err := refusal(fetches); err != nil {
		return nil, err
	}
	records := []hand.RecordRead{}
	for _, r := range fetches.Records() {
		c.behind[hand.TopicPartition{Topic: r.Topic, Partition: r.Partition}] = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
		records = append(records, read(r))
	}
	return map[string]any{"records": records, "assigned": c.assigned()}, nil
}

// refusal is what the broker will not take back; anything else (a connection that is gone, for one) kgo tries again by itself.
func refusal(fetches kgo.Fetches) error {
	for _, failed := range fetches.Errors() {
		var named *kerr.Error
		if errors.As(failed.Err, &named) && !named.Retriable {
			return failed.Err
		}
	}
	return nil
}

func read(r *kgo.Record) hand.RecordRead {
	headers := []hand.Header{}
	for _, h := range r.Headers {
		headers = append(headers, hand.Header{Name: h.Key, Value: h.Value})
	}
	return hand.RecordRead{
		Record:         hand.Record{Key: r.Key, Value: r.Value, Headers: headers},
		TopicPartition: hand.TopicPartition{Topic: r.Topic, Partition: r.Partition},
		Offset:         r.Offset,
		Timestamp:      r.Timestamp.UnixMilli(),
		DeliveryCount:  r.DeliveryCount(),
	}
}

func (f *franz) commitOffsets(a *hand.Ask) (any, error) {
	c := f.consumers[a.Consumer]
	ctx, cancel := patiently()
	defer cancel()
	asked, metadata := map[string]map[int32]kgo.EpochOffset{}, map[hand.TopicPartition]string{}
	put := func(at hand.TopicPartition, offset kgo.EpochOffset) {
		if asked[at.Topic] == nil {
			asked[at.Topic] = map[int32]kgo.EpochOffset{}
		}
		asked[at.Topic][at.Partition] = offset
	}
	for _, o := range a.Offsets {
		put(o.TopicPartition, kgo.EpochOffset{Epoch: -1, Offset: o.Offset})
		metadata[o.TopicPartition] = o.Metadata
	}
	if a.Offsets == nil {
		c.mu.Lock()
		for at, offset := range c.behind {
			put(at, offset)
		}
		c.mu.Unlock()
	}
	ctx = kgo.PreCommitFnContext(ctx, func(request *kmsg.OffsetCommitRequest) error {
		for i, t := range request.Topics {
			for j, p := range t.Partitions {
				if text := metadata[hand.TopicPartition{Topic: t.Topic, Partition: p.Partition}]; text != "" {
					request.Topics[i].Partitions[j].Metadata = &text
				}
			}
		}
		return nil
	})
	var problem error
	c.client.CommitOffsetsSync(ctx, asked, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		problem = err
		if err != nil || answer == nil {
			return
		}
		for _, t := range answer.Topics {
			for _, p := range t.Partitions {
				if refusal := kerr.ErrorForCode(p.ErrorCode); refusal != nil {
					problem = refusal
				}
			}
		}
	})
	return hand.Nothing{}, problem
}

func byTopic(list []hand.TopicPartition) map[string][]int32 {
	topics := map[string][]int32{}
	for _, p := range list {
		topics[p.Topic] = append(topics[p.Topic], p.Partition)
	}
	return topics
}

func (f *franz) pause(a *hand.Ask) (any, error) {
	f.consumers[a.Consumer].client.PauseFetchPartitions(byTopic(a.TopicPartitions()))
	return hand.Nothing{}, nil
}

func (f *franz) resume(a *hand.Ask) (any, error) {
	f.consumers[a.Consumer].client.ResumeFetchPartitions(byTopic(a.TopicPartitions()))
	return hand.Nothing{}, nil
}

func (f *franz) seek(a *hand.Ask) (any, error) {
	f.consumers[a.Consumer].client.SetOffsets(map[string]map[int32]kgo.EpochOffset{
		a.Topic: {a.Partition: {Epoch: -1, Offset: a.Offset}},
	})
	return hand.Nothing{}, nil
}

func (f *franz) closeConsumer(a *hand.Ask) (any, error) {
	if c, open := f.consumers[a.Consumer]; open {
		c.client.Close()
		delete(f.consumers, a.Consumer)
	}
	return hand.Nothing{}, nil
}
