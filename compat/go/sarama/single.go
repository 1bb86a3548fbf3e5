// One partition without a group.
package main

import (
	"github.com/IBM/sarama"
	"twiglog.compat/hand"
)

type single struct {
	consumer sarama.Consumer
	reader   sarama.PartitionConsumer
	place    hand.TopicPartition
	came     *queue
}

func (h *hands) openConsumer(a *hand.Ask) (any, error) {
	place := hand.PlaceOf(a.From)
	at := place.Offset
	if place.Word != "offset" {
		var err error
		if at, err = h.resolve(a.Topic, a.Partition, place, isolation(a)); err != nil {
			return nil, err
		}
		if at < 0 { // no record is that young: what comes is
			if at, err = h.resolve(a.Topic, a.Partition, hand.Place{Word: "end"}, isolation(a)); err != nil {
				return nil, err
			}
		}
	}
	c, err := sarama.NewConsumer(h.seeds, h.reading(a))
	if err != nil {
		return nil, err
	}
	s := &single{consumer: c, place: hand.TopicPartition{Topic: a.Topic, Partition: a.Partition}}
	if err := s.from(at); err != nil {
		_ = c.Close()
		return nil, err
	}
	h.consumers[a.Consumer] = s
	return hand.Nothing{}, nil
}

func (s *single) from(at int64) error {
	reader, err := s.consumer.ConsumePartition(s.place.Topic, s.place.Partition, at)
	if err != nil {
		return err
	}
	came := newQueue()
	s.reader, s.came = reader, came
	go func() {
		for m := range reader.Messages() {
			came.put(m)
		}
	}()
	go func() {
		for range reader.Errors() { // sarama goes on by itself
		}
	}()
	return nil
}

func (s *single) messages() *queue                { return s.came }
func (s *single) assigned() []hand.TopicPartition { return []hand.TopicPartition{s.place} }
func (s *single) commit(*hand.Ask) error {
	return hand.Client("a consumer without a group commits nothing")
}

func (s *single) hold(partitions []hand.TopicPartition, held bool) {
	if held {
		s.reader.Pause()
	} else {
		s.reader.Resume()
	}
	s.came.hold(partitions, held)
}

func (s *single) seek(a *hand.Ask) error {
	if err := s.reader.Close(); err != nil {
		return err
	}
	return s.from(a.Offset)
}

func (s *single) close() {
	_ = s.reader.Close()
	_ = s.consumer.Close()
}
