// Producers, with and without transactions.
package main

import (
	"context"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"twiglog.compat/hand"
)

type producer struct {
	client          *kgo.Client
	transactionalId string
	acks            int
}

// chosen marks a record whose partition the command gives.
var chosen = func() *string { s := "chosen"; return &s }()

func partitioner() kgo.Partitioner {
	byKey := kgo.StickyKeyPartitioner(nil)
	return kgo.BasicConsistentPartitioner(func(topic string) func(*kgo.Record, int) int {
		ofTopic := byKey.ForTopic(topic)
		return func(r *kgo.Record, count int) int {
			if p, given := r.Context.Value(chosen).(int32); given {
				return int(p)
			}
			return ofTopic.Partition(r, count)
		}
	})
}

var codecs = map[string]kgo.CompressionCodec{
	"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func (f *franz) openProducer(a *hand.Ask) (any, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(f.seed), kgo.ClientID(f.clientID), kgo.AllowAutoTopicCreation(), kgo.RecordPartitioner(partitioner()),
		kgo.ProducerBatchCompression(codecs[a.Codec]), kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.RequiredAcks(map[int]kgo.Acks{-1: kgo.AllISRAcks(), 0: kgo.NoAck(), 1: kgo.LeaderAck()}[a.AckCount()]),
	}
	if a.TransactionalId != "" {
		options = append(options, kgo.TransactionalID(a.TransactionalId))
		if a.TransactionTimeoutMs > 0 {
			options = append(options, kgo.TransactionTimeout(time.Duration(a.TransactionTimeoutMs)*time.Millisecond))
		}
	} else if !a.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	batchBytes := int32(1_048_588) // what a broker takes by default; kgo's own default leaves no room for a record of 1,000,000 bytes
	if a.BatchBytes > 0 {
		batchBytes = int32(a.BatchBytes)
	}
	options = append(options, kgo.ProducerBatchMaxBytes(batchBytes))
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	f.producers[a.Producer] = &producer{client, a.TransactionalId, a.AckCount()}
	if a.TransactionalId == "" {
		return hand.Nothing{}, nil
	}
	ctx, cancel := patiently()
	defer cancel()
	_, _, err = client.ProducerID(ctx) // asks for the id, so an older producer is fenced from here on
	return hand.Nothing{}, err
}

func (f *franz) produce(a *hand.Ask) (any, error) {
	p := f.producers[a.Producer]
	ctx, cancel := patiently()
	defer cancel()
	records := make([]*kgo.Record, 0, len(a.Records))
	for _, sent := range a.Records {
		r := &kgo.Record{Topic: a.Topic, Key: sent.Key, Value: sent.Value, Context: ctx}
		for _, h := range sent.Headers {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
		}
		if sent.Partition != nil {
			r.Context = context.WithValue(ctx, chosen, *sent.Partition)
		}
		if sent.Timestamp != nil {
			r.Timestamp = time.UnixMilli(*sent.Timestamp)
		}
		records = append(records, r)
	}
	if err := p.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return nil, err
	}
	if p.acks == 0 {
		return map[string]any{"offsets": nil}, nil
	}
	offsets := make([]int64, 0, len(records))
	for _, r := range records {
		offsets = append(offsets, r.Offset)
	}
	return map[string]any{"offsets": offsets}, nil
}

func (f *franz) beginTransaction(a *hand.Ask) (any, error) {
	return hand.Nothing{}, f.producers[a.Producer].client.BeginTransaction()
}

// sendOffsets: kgo commits offsets only of the group that the same client consumes (GroupTransactSession), so the two
// requests are put together here, with the producer's own id.
func (f *franz) sendOffsets(a *hand.Ask) (any, error) {
	p := f.producers[a.Producer]
	ctx, cancel := patiently()
	defer cancel()
	id, epoch, err := p.client.ProducerID(ctx)
	if err != nil {
		return nil, err
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = p.transactionalId, id, epoch, a.Group
	added, err := add.RequestWith(ctx, p.client)
	if err == nil {
		err = kerr.ErrorForCode(added.ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group = p.transactionalId, id, epoch, a.Group
	commit.Generation = -1
	if c, open := f.consumers[a.Consumer]; open {
		commit.MemberID, commit.Generation = c.client.GroupMetadata()
	}
	topics := map[string]*kmsg.TxnOffsetCommitRequestTopic{}
	for _, o := range a.Offsets {
		if topics[o.Topic] == nil {
			t := kmsg.NewTxnOffsetCommitRequestTopic()
			t.Topic = o.Topic
			if t.TopicID, err = f.topicId(o.Topic); err != nil { // version 6 knows only ids
				return nil, err
			}
			topics[o.Topic] = &t
		}
		partition := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		metadata := o.Metadata
		partition.Partition, partition.Offset, partition.Metadata = o.Partition, o.Offset, &metadata
		topics[o.Topic].Partitions = append(topics[o.Topic].Partitions, partition)
	}
	for _, t := range topics {
		commit.Topics = append(commit.Topics, *t)
	}
	committed, err := commit.RequestWith(ctx, p.client)
	if err != nil {
		return nil, err
	}
	for _, t := range committed.Topics {
		for _, partition := range t.Partitions {
			if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
				return nil, err
			}
		}
	}
	return hand.Nothing{}, nil
}

func (f *franz) topicId(topic string) ([16]byte, error) {
	ctx, cancel := patiently()
	defer cancel()
	topics, err := f.admin.ListTopics(ctx, topic)
	if err == nil {
		err = topics[topic].Err
	}
	return topics[topic].ID, err
}

func (f *franz) commitTransaction(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	return hand.Nothing{}, f.producers[a.Producer].client.EndTransaction(ctx, kgo.TryCommit)
}

func (f *franz) abortTransaction(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	client := f.producers[a.Producer].client
	if err := client.AbortBufferedRecords(ctx); err != nil {
		return nil, err
	}
	return hand.Nothing{}, client.EndTransaction(ctx, kgo.TryAbort)
}

func (f *franz) closeProducer(a *hand.Ask) (any, error) {
	if p, open := f.producers[a.Producer]; open {
		p.client.Close()
		delete(f.producers, a.Producer)
	}
	return hand.Nothing{}, nil
}
