// Producers, with and without transactions.
package main

import (
	"time"

	"github.com/IBM/sarama"
	"twiglog.compat/hand"
)

type producer struct {
	sync sarama.SyncProducer
	acks int
}

// placed sends a record where the command says, or else where its key says.
type placed struct{ byKey sarama.Partitioner }

func placedOrHashed(topic string) sarama.Partitioner { return placed{sarama.NewHashPartitioner(topic)} }

func (p placed) Partition(m *sarama.ProducerMessage, count int32) (int32, error) {
	if given, ok := m.Metadata.(int32); ok {
		return given, nil
	}
	return p.byKey.Partition(m, count)
}

func (p placed) RequiresConsistency() bool { return true }

var codecs = map[string]sarama.CompressionCodec{
	"": sarama.CompressionNone, "none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func (h *hands) openProducer(a *hand.Ask) (any, error) {
	c := h.config()
	c.Metadata.AllowAutoTopicCreation = true
	// It asks for its own topics alone: while sarama asks for all, whoever needs one is given that answer, too, and if the topic is
	// younger than the answer the message fails at once (FINDINGS.md).
	c.Metadata.Full = false
	c.Net.MaxOpenRequests = 1 // or a retry overtakes
	c.Producer.Partitioner = placedOrHashed
	c.Producer.Compression = codecs[a.Codec]
	c.Producer.RequiredAcks = sarama.RequiredAcks(a.AckCount())
	c.Producer.Idempotent = a.Idempotent || a.TransactionalId != ""
	c.Producer.Retry.Max, c.Producer.Retry.Backoff = 400, 100*time.Millisecond
	c.Producer.Flush.Frequency = 5 * time.Millisecond // so that what is sent together goes together
	if a.BatchBytes > 0 {
		c.Producer.Flush.Bytes = a.BatchBytes
	}
	if a.TransactionalId != "" {
		c.Producer.Transaction.ID = a.TransactionalId
		c.Producer.Transaction.Retry.Max, c.Producer.Transaction.Retry.Backoff = 300, 100*time.Millisecond
		if a.TransactionTimeoutMs > 0 {
			c.Producer.Transaction.Timeout = time.Duration(a.TransactionTimeoutMs) * time.Millisecond
		}
	}
	sync, err := sarama.NewSyncProducer(h.seeds, c)
	if err != nil {
		return nil, err
	}
	h.producers[a.Producer] = &producer{sync, a.AckCount()}
	return hand.Nothing{}, nil
}

func (h *hands) produce(a *hand.Ask) (any, error) {
	p := h.producers[a.Producer]
	messages := make([]*sarama.ProducerMessage, 0, len(a.Records))
	for _, sent := range a.Records {
		m := &sarama.ProducerMessage{Topic: a.Topic}
		if sent.Key != nil {
			m.Key = sarama.ByteEncoder(sent.Key)
		}
		if sent.Value != nil {
			m.Value = sarama.ByteEncoder(sent.Value)
		}
		for _, header := range sent.Headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(header.Name), Value: header.Value})
		}
		if sent.Partition != nil {
			m.Metadata = *sent.Partition
		}
		if sent.Timestamp != nil {
			m.Timestamp = time.UnixMilli(*sent.Timestamp)
		}
		messages = append(messages, m)
	}
	if err := p.sync.SendMessages(messages); err != nil {
		return nil, err
	}
	if p.acks == 0 {
		return map[string]any{"offsets": nil}, nil
	}
	offsets := make([]int64, 0, len(messages))
	for _, m := range messages {
		offsets = append(offsets, m.Offset)
	}
	return map[string]any{"offsets": offsets}, nil
}

func (h *hands) beginTransaction(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.producers[a.Producer].sync.BeginTxn()
}

func (h *hands) sendOffsets(a *hand.Ask) (any, error) {
	offsets := map[string][]*sarama.PartitionOffsetMetadata{}
	for _, o := range a.Offsets {
		metadata := o.Metadata
		offsets[o.Topic] = append(offsets[o.Topic], &sarama.PartitionOffsetMetadata{
			Partition: o.Partition, Offset: o.Offset, LeaderEpoch: -1, Metadata: &metadata,
		})
	}
	of := sarama.NewConsumerGroupMetadata(a.Group)
	if m, open := h.consumers[a.Consumer].(*member); open {
		if session := m.current(); session != nil {
			of = sarama.NewConsumerGroupMetadataFromSession(session, a.Group, nil)
		}
	}
	return hand.Nothing{}, h.producers[a.Producer].sync.AddOffsetsToTxnWithGroupMetadata(offsets, of)
}

func (h *hands) commitTransaction(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.producers[a.Producer].sync.CommitTxn()
}

func (h *hands) abortTransaction(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.producers[a.Producer].sync.AbortTxn()
}

func (h *hands) closeProducer(a *hand.Ask) (any, error) {
	if p, open := h.producers[a.Producer]; open {
		_ = p.sync.Close()
		delete(h.producers, a.Producer)
	}
	return hand.Nothing{}, nil
}
