// A member of a classic group. sarama calls back for each session; what it claims then is what the member owns.
package main

import (
	"context"
	"errors"
	"sort"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"twiglog.compat/hand"
)

type member struct {
	group   sarama.ConsumerGroup
	came    *queue
	stop    context.CancelFunc
	ended   chan struct{}
	mu      sync.Mutex
	session sarama.ConsumerGroupSession
	refused chan error
}

func strategies(assignor string) []sarama.BalanceStrategy {
	switch assignor {
	case "roundrobin":
		return []sarama.BalanceStrategy{sarama.NewBalanceStrategyRoundRobin()}
	case "sticky":
		return []sarama.BalanceStrategy{sarama.NewBalanceStrategySticky()}
	case "cooperative-sticky":
		return []sarama.BalanceStrategy{sarama.NewBalanceStrategyCooperativeSticky()}
	}
	return []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
}

func (h *hands) joinGroup(a *hand.Ask) (any, error) {
	c := h.reading(a)
	c.Consumer.Group.Rebalance.GroupStrategies = strategies(a.Assignor)
	c.Consumer.Group.Rebalance.Retry.Max, c.Consumer.Group.Rebalance.Retry.Backoff = 100, 200*time.Millisecond
	c.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	c.Consumer.Group.InstanceId = a.Instance
	if a.SessionTimeoutMs > 0 {
		c.Consumer.Group.Session.Timeout = time.Duration(a.SessionTimeoutMs) * time.Millisecond
	}
	if a.Reset == "latest" {
		c.Consumer.Offsets.Initial = sarama.OffsetNewest
	}
	group, err := sarama.NewConsumerGroup(h.seeds, a.Group, c)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &member{group: group, came: newQueue(), stop: stop, ended: make(chan struct{}), refused: make(chan error, 1)}
	go m.errors()
	go m.run(ctx, a.Topics)
	h.consumers[a.Consumer] = m
	return hand.Nothing{}, nil
}

// errors: those of a commit are waited for there; the others sarama overcomes by itself.
func (m *member) errors() {
	for err := range m.group.Errors() {
		var ofPartition *sarama.ConsumerError
		if errors.As(err, &ofPartition) {
			select {
			case m.refused <- ofPartition.Err:
			default:
			}
		}
	}
}

func (m *member) run(ctx context.Context, topics []string) {
	defer close(m.ended)
	for ctx.Err() == nil {
		err := m.group.Consume(ctx, topics, m)
		if err != nil && ctx.Err() == nil {
			var number sarama.KError
			if errors.As(err, &number) && number == sarama.ErrFencedInstancedId {
				m.came.fail(err)
				return
			}
			time.Sleep(100 * time.Millisecond) // a broker that is away
		}
	}
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session = session
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	m.session = nil
	m.mu.Unlock()
	m.came.forget(func(hand.TopicPartition) bool { return true })
	return nil
}

func (m *member) ConsumeClaim(_ sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.came.put(message)
	}
	m.came.forget(func(p hand.TopicPartition) bool {
		return p.Topic == claim.Topic() && p.Partition == claim.Partition()
	})
	return nil
}

func (m *member) current() sarama.ConsumerGroupSession {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.session
}

func (m *member) messages() *queue { return m.came }

func (m *member) assigned() []hand.TopicPartition {
	list := []hand.TopicPartition{}
	session := m.current()
	if session == nil {
		return list
	}
	for topic, partitions := range session.Claims() {
		for _, p := range partitions {
			list = append(list, hand.TopicPartition{Topic: topic, Partition: p})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].Topic < list[j].Topic || list[i].Topic == list[j].Topic && list[i].Partition < list[j].Partition
	})
	return list
}

func (m *member) commit(a *hand.Ask) error {
	session := m.current()
	if session == nil {
		return hand.Client("there is no session now")
	}
	for _, o := range a.Offsets {
		session.MarkOffset(o.Topic, o.Partition, o.Offset, o.Metadata)  // goes on
		session.ResetOffset(o.Topic, o.Partition, o.Offset, o.Metadata) // goes back
	}
	if a.Offsets == nil {
		m.came.mu.Lock()
		for place, offset := range m.came.behind {
			session.MarkOffset(place.Topic, place.Partition, offset, "")
		}
		m.came.mu.Unlock()
	}
	for range 50 {
		select {
		case <-m.refused: // of some other time
		default:
		}
		session.Commit()
		select {
		case err := <-m.refused:
			if naming(err) != "CLIENT" {
				return err
			}
			time.Sleep(100 * time.Millisecond) // its connection was gone; what is marked is still to be committed
		case <-time.After(50 * time.Millisecond): // Commit itself does not tell how it went
			return nil
		}
	}
	return hand.Client("the commit did not get through")
}

func (m *member) hold(partitions []hand.TopicPartition, held bool) {
	byTopic := map[string][]int32{}
	for _, p := range partitions {
		byTopic[p.Topic] = append(byTopic[p.Topic], p.Partition)
	}
	if held {
		m.group.Pause(byTopic)
	} else {
		m.group.Resume(byTopic)
	}
	m.came.hold(partitions, held)
}

func (m *member) seek(*hand.Ask) error {
	return hand.Cannot("a member of sarama's group cannot seek")
}

func (m *member) close() {
	m.stop()
	<-m.ended
	_ = m.group.Close()
}
