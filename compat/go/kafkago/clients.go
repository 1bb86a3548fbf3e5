// Producers, readers of one partition, and members of a group, which are such readers for as long as a generation lasts.
package main

import (
	"context"
	"errors"
	"sort"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
	"twiglog.compat/hand"
)

var codecs = map[string]kafka.Compression{
	"gzip": compress.Gzip, "snappy": compress.Snappy, "lz4": compress.Lz4, "zstd": compress.Zstd,
}

func (h *hands) openProducer(a *hand.Ask) (any, error) {
	w := &kafka.Writer{
		Addr: h.addr, RequiredAcks: kafka.RequiredAcks(a.AckCount()), Compression: codecs[a.Codec],
		BatchTimeout: 5 * time.Millisecond, BatchSize: 1000, BatchBytes: 1_048_588,
		MaxAttempts: 300, WriteBackoffMin: 100 * time.Millisecond, WriteBackoffMax: 200 * time.Millisecond,
		AllowAutoTopicCreation: true, Transport: &kafka.Transport{MetadataTTL: time.Second},
	}
	byKey := &kafka.Hash{}
	w.Balancer = kafka.BalancerFunc(func(m kafka.Message, partitions ...int) int {
		if given, ok := m.WriterData.(int); ok {
			return given
		}
		return byKey.Balance(m, partitions...)
	})
	if a.BatchBytes > 0 {
		w.BatchBytes = int64(a.BatchBytes)
	}
	h.producers[a.Producer] = w
	return hand.Nothing{}, nil
}

func (h *hands) produce(a *hand.Ask) (any, error) {
	ctx, cancel := patiently()
	defer cancel()
	messages := []kafka.Message{}
	for _, sent := range a.Records {
		m := kafka.Message{Topic: a.Topic, Key: sent.Key, Value: sent.Value}
		for _, each := range sent.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: each.Name, Value: each.Value})
		}
		if sent.Partition != nil {
			m.WriterData = int(*sent.Partition)
		}
		if sent.Timestamp != nil {
			m.Time = time.UnixMilli(*sent.Timestamp)
		}
		messages = append(messages, m)
	}
	return map[string]any{"offsets": nil}, h.producers[a.Producer].WriteMessages(ctx, messages...)
}

func (h *hands) closeProducer(a *hand.Ask) (any, error) {
	if w, open := h.producers[a.Producer]; open {
		_ = w.Close()
		delete(h.producers, a.Producer)
	}
	return hand.Nothing{}, nil
}

type consumer interface {
	queue() *queue
	assigned() []hand.TopicPartition
	commit(map[string]map[int]int64) error
	seek(offset int64) error
	close()
}

// queue keeps what has come and was not asked for yet. What belongs to a paused partition stays in it.
type queue struct {
	mu     sync.Mutex
	came   chan struct{}
	list   []kafka.Message
	paused map[hand.TopicPartition]bool
	behind map[string]map[int]int64 // behind the last record that poll gave
}

func newQueue() *queue {
	return &queue{came: make(chan struct{}, 1), paused: map[hand.TopicPartition]bool{}, behind: map[string]map[int]int64{}}
}

func (q *queue) wake() {
	select {
	case q.came <- struct{}{}:
	default:
	}
}

func (q *queue) put(m kafka.Message) {
	q.mu.Lock()
	q.list = append(q.list, m)
	q.mu.Unlock()
	q.wake()
}

func (q *queue) clear() {
	q.mu.Lock()
	q.list, q.behind = nil, map[string]map[int]int64{}
	q.mu.Unlock()
}

func (q *queue) take() []hand.RecordRead {
	q.mu.Lock()
	defer q.mu.Unlock()
	records, kept := []hand.RecordRead{}, []kafka.Message{}
	for _, m := range q.list {
		at := hand.TopicPartition{Topic: m.Topic, Partition: int32(m.Partition)}
		if q.paused[at] {
			kept = append(kept, m)
			continue
		}
		if q.behind[m.Topic] == nil {
			q.behind[m.Topic] = map[int]int64{}
		}
		q.behind[m.Topic][m.Partition] = m.Offset + 1
		headers := []hand.Header{}
		for _, each := range m.Headers {
			headers = append(headers, hand.Header{Name: each.Key, Value: each.Value})
		}
		records = append(records, hand.RecordRead{
			Record: hand.Record{Key: m.Key, Value: m.Value, Headers: headers}, TopicPartition: at, Offset: m.Offset, Timestamp: m.Time.UnixMilli(),
		})
	}
	q.list = kept
	return records
}

func (h *hands) poll(a *hand.Ask) (any, error) {
	c := h.consumers[a.Consumer]
	until := time.After(time.Duration(a.Ms) * time.Millisecond)
	for {
		if records := c.queue().take(); len(records) > 0 {
			return map[string]any{"records": records, "assigned": c.assigned()}, nil
		}
		select {
		case <-c.queue().came:
		case <-until:
			return map[string]any{"records": []any{}, "assigned": c.assigned()}, nil
		}
	}
}

func (h *hands) reader(topic string, partition int, at int64, a *hand.Ask) (*kafka.Reader, error) {
	config := kafka.ReaderConfig{
		Brokers: []string{h.seed}, Topic: topic, Partition: partition, MinBytes: 1, MaxBytes: 10 << 20, MaxWait: 100 * time.Millisecond,
		ReadBackoffMin: 20 * time.Millisecond, ReadBackoffMax: 100 * time.Millisecond, ReadLagInterval: -1,
	}
	if a.ReadCommitted() {
		config.IsolationLevel = kafka.ReadCommitted
	}
	if a.FetchBytes > 0 {
		config.MaxBytes = int(a.FetchBytes)
	}
	r := kafka.NewReader(config)
	return r, r.SetOffset(at)
}

// drain passes on what a reader reads until its context ends.
func drain(ctx context.Context, r *kafka.Reader, into *queue) {
	for {
		m, err := r.ReadMessage(ctx)
		if err == nil {
			into.put(m)
		} else if ctx.Err() != nil || errors.Is(err, context.Canceled) {
			return
		} else {
			time.Sleep(50 * time.Millisecond) // a broker that is away
		}
	}
}

type single struct {
	hands  *hands
	ask    *hand.Ask
	reader *kafka.Reader
	came   *queue
	stop   context.CancelFunc
}

func (h *hands) openConsumer(a *hand.Ask) (any, error) {
	place := hand.PlaceOf(a.From)
	at := place.Offset
	if place.Word != "offset" {
		var err error
		if at, err = h.resolve(a.Topic, a.Partition, place, a.Isolation); err == nil && at < 0 { // no record is that young: what comes is
			at, err = h.resolve(a.Topic, a.Partition, hand.Place{Word: "end"}, a.Isolation)
		}
		if err != nil {
			return nil, err
		}
	}
	s := &single{hands: h, ask: a}
	h.consumers[a.Consumer] = s
	return hand.Nothing{}, s.seek(at)
}

func (s *single) queue() *queue { return s.came }
func (s *single) commit(map[string]map[int]int64) error {
	return hand.Client("a reader without a group commits nothing")
}

func (s *single) assigned() []hand.TopicPartition {
	return []hand.TopicPartition{{Topic: s.ask.Topic, Partition: s.ask.Partition}}
}

func (s *single) seek(offset int64) error {
	if s.reader != nil {
		s.close()
	}
	r, err := s.hands.reader(s.ask.Topic, int(s.ask.Partition), offset, s.ask)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	s.reader, s.came, s.stop = r, newQueue(), stop
	go drain(ctx, r, s.came)
	return nil
}

func (s *single) close() {
	s.stop()
	_ = s.reader.Close()
}

type member struct {
	group *kafka.ConsumerGroup
	came  *queue
	mu    sync.Mutex
	now   *kafka.Generation
	stop  context.CancelFunc
}

func (h *hands) joinGroup(a *hand.Ask) (any, error) {
	config := kafka.ConsumerGroupConfig{
		ID: a.Group, Brokers: []string{h.seed}, Topics: a.Topics, HeartbeatInterval: 300 * time.Millisecond,
		SessionTimeout: 30 * time.Second, RebalanceTimeout: 10 * time.Second, JoinGroupBackoff: 200 * time.Millisecond,
		StartOffset: kafka.FirstOffset, WatchPartitionChanges: true, PartitionWatchInterval: time.Second, Timeout: 15 * time.Second,
	}
	if a.Assignor == "range" {
		config.GroupBalancers = []kafka.GroupBalancer{kafka.RangeGroupBalancer{}}
	}
	if a.SessionTimeoutMs > 0 {
		config.SessionTimeout = time.Duration(a.SessionTimeoutMs) * time.Millisecond
	}
	if a.Reset == "latest" {
		config.StartOffset = kafka.LastOffset
	}
	group, err := kafka.NewConsumerGroup(config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &member{group: group, came: newQueue(), stop: stop}
	h.consumers[a.Consumer] = m
	go func() {
		for ctx.Err() == nil {
			generation, err := group.Next(ctx)
			if err != nil {
				if errors.Is(err, kafka.ErrGroupClosed) {
					return
				}
				continue
			}
			m.begin(h, a, generation)
		}
	}()
	return hand.Nothing{}, nil
}

func (m *member) begin(h *hands, a *hand.Ask, generation *kafka.Generation) {
	m.came.clear()
	m.mu.Lock()
	m.now = generation
	m.mu.Unlock()
	for topic, partitions := range generation.Assignments {
		for _, p := range partitions {
			generation.Start(func(ctx context.Context) {
				r, err := h.reader(topic, p.ID, p.Offset, a)
				if err == nil {
					drain(ctx, r, m.came)
				}
				_ = r.Close()
			})
		}
	}
	generation.Start(func(ctx context.Context) {
		<-ctx.Done()
		m.mu.Lock()
		if m.now == generation {
			m.now = nil
		}
		m.mu.Unlock()
		m.came.clear()
	})
}

func (m *member) queue() *queue    { return m.came }
func (m *member) seek(int64) error { return hand.Cannot("a member of kafka-go's group cannot seek") }

func (m *member) current() *kafka.Generation {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *member) assigned() []hand.TopicPartition {
	list := []hand.TopicPartition{}
	if generation := m.current(); generation != nil {
		for topic, partitions := range generation.Assignments {
			for _, p := range partitions {
				list = append(list, hand.TopicPartition{Topic: topic, Partition: int32(p.ID)})
			}
		}
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].Topic < list[j].Topic || list[i].Topic == list[j].Topic && list[i].Partition < list[j].Partition
	})
	return list
}

func (m *member) commit(offsets map[string]map[int]int64) error {
	generation := m.current()
	if generation == nil {
		return hand.Client("there is no generation now")
	}
	return generation.CommitOffsets(offsets)
}

func (m *member) close() {
	m.stop()
	_ = m.group.Close()
}

func (h *hands) commitOffsets(a *hand.Ask) (any, error) {
	c := h.consumers[a.Consumer]
	offsets := map[string]map[int]int64{}
	for _, o := range a.Offsets {
		if o.Metadata != "" {
			return nil, hand.Cannot("kafka-go's groups commit no metadata")
		}
		if offsets[o.Topic] == nil {
			offsets[o.Topic] = map[int]int64{}
		}
		offsets[o.Topic][int(o.Partition)] = o.Offset
	}
	if a.Offsets == nil {
		c.queue().mu.Lock()
		for topic, partitions := range c.queue().behind {
			offsets[topic] = map[int]int64{}
			for p, at := range partitions {
				offsets[topic][p] = at
			}
		}
		c.queue().mu.Unlock()
	}
	return hand.Nothing{}, c.commit(offsets)
}

func (h *hands) hold(a *hand.Ask, held bool) (any, error) {
	q := h.consumers[a.Consumer].queue()
	q.mu.Lock()
	for _, p := range a.TopicPartitions() {
		q.paused[p] = held
	}
	q.mu.Unlock()
	q.wake()
	return hand.Nothing{}, nil
}

func (h *hands) pause(a *hand.Ask) (any, error)  { return h.hold(a, true) }
func (h *hands) resume(a *hand.Ask) (any, error) { return h.hold(a, false) }

func (h *hands) seek(a *hand.Ask) (any, error) {
	return hand.Nothing{}, h.consumers[a.Consumer].seek(a.Offset)
}

func (h *hands) closeConsumer(a *hand.Ask) (any, error) {
	if c, open := h.consumers[a.Consumer]; open {
		c.close()
		delete(h.consumers, a.Consumer)
	}
	return hand.Nothing{}, nil
}
