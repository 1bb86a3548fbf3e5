// What both kinds of consumers share: a queue that sarama's goroutines fill and `poll` empties.
package main

import (
	"sync"
	"time"

	"github.com/IBM/sarama"
	"twiglog.compat/hand"
)

type consumer interface {
	messages() *queue
	assigned() []hand.TopicPartition
	commit(*hand.Ask) error
	hold(partitions []hand.TopicPartition, held bool)
	seek(*hand.Ask) error
	close()
}

// queue keeps what has come and was not asked for yet. What belongs to a paused partition stays in it.
type queue struct {
	mu     sync.Mutex
	came   chan struct{}
	list   []*sarama.ConsumerMessage
	paused map[hand.TopicPartition]bool
	failed error
	behind map[hand.TopicPartition]int64 // behind the last record that poll gave
}

func newQueue() *queue {
	return &queue{came: make(chan struct{}, 1), paused: map[hand.TopicPartition]bool{}, behind: map[hand.TopicPartition]int64{}}
}

func placeOf(m *sarama.ConsumerMessage) hand.TopicPartition {
	return hand.TopicPartition{Topic: m.Topic, Partition: m.Partition}
}

func (q *queue) put(m *sarama.ConsumerMessage) {
	q.mu.Lock()
	q.list = append(q.list, m)
	q.mu.Unlock()
	q.wake()
}

func (q *queue) fail(err error) {
	q.mu.Lock()
	q.failed = err
	q.mu.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.came <- struct{}{}:
	default:
	}
}

func (q *queue) forget(lost func(hand.TopicPartition) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	kept := q.list[:0]
	for _, m := range q.list {
		if !lost(placeOf(m)) {
			kept = append(kept, m)
		}
	}
	q.list = kept
	for place := range q.behind {
		if lost(place) {
			delete(q.behind, place)
		}
	}
}

func (q *queue) take() ([]*sarama.ConsumerMessage, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken, kept := []*sarama.ConsumerMessage{}, []*sarama.ConsumerMessage{}
	for _, m := range q.list {
		if q.paused[placeOf(m)] {
			kept = append(kept, m)
			continue
		}
		taken = append(taken, m)
		q.behind[placeOf(m)] = m.Offset + 1
	}
	q.list = kept
	failed := q.failed
	q.failed = nil
	return taken, failed
}

func (h *hands) poll(a *hand.Ask) (any, error) {
	c := h.consumers[a.Consumer]
	until := time.After(time.Duration(a.Ms) * time.Millisecond)
	for {
		taken, failed := c.messages().take()
		if failed != nil {
			return nil, failed
		}
		if len(taken) > 0 {
			return told(taken, c.assigned()), nil
		}
		select {
		case <-c.messages().came:
		case <-until:
			return told(nil, c.assigned()), nil
		}
	}
}

func told(messages []*sarama.ConsumerMessage, assigned []hand.TopicPartition) any {
	records := []hand.RecordRead{}
	for _, m := range messages {
		headers := []hand.Header{}
		for _, each := range m.Headers {
			headers = append(headers, hand.Header{Name: string(each.Key), Value: each.Value})
		}
		records = append(records, hand.RecordRead{
			Record:         hand.Record{Key: m.Key, Value: m.Value, Headers: headers},
			TopicPartition: placeOf(m),
			Offset:         m.Offset,
			Timestamp:      m.Timestamp.UnixMilli(),
		})
	}
	return map[string]any{"records": records, "assigned": assigned}
}

func (h *hands) commitOffsets(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.consumers[a.Consumer].commit(a)
}

func (h *hands) pause(a *hand.Ask) (any, error) {
	h.consumers[a.Consumer].hold(a.TopicPartitions(), true)
	return hand.Nothing{}, nil
}

func (h *hands) resume(a *hand.Ask) (any, error) {
	h.consumers[a.Consumer].hold(a.TopicPartitions(), false)
	return hand.Nothing{}, nil
}

func (q *queue) hold(partitions []hand.TopicPartition, held bool) {
	q.mu.Lock()
	for _, p := range partitions {
		q.paused[p] = held
	}
	q.mu.Unlock()
	q.wake()
}

func (h *hands) seek(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.consumers[a.Consumer].seek(a)
}

func (h *hands) closeConsumer(a *hand.Ask) (any, error) {
	if c, open := h.consumers[a.Consumer]; open {
		c.close()
		delete(h.consumers, a.Consumer)
	}
	return hand.Nothing{}, nil
}

func (h *hands) reading(a *hand.Ask) *sarama.Config {
	c := h.config()
	c.Consumer.IsolationLevel = isolation(a)
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Consumer.Retry.Backoff = 200 * time.Millisecond
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	if a.FetchBytes > 0 {
		c.Consumer.Fetch.Default = a.FetchBytes
	}
	return c
}
