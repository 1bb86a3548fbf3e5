// Share consumers (KIP-932), every record acknowledged by word.
package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"twiglog.compat/hand"
)

type place struct {
	hand.TopicPartition
	offset int64
}

type share struct {
	client *kgo.Client
	mu     sync.Mutex
	refuse error // what the broker answered to an acknowledgement
	held   map[place]*kgo.Record
}

func (s *share) answered(_ *kgo.Client, results kgo.ShareAckResults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := results.Error(); err != nil {
		s.refuse = err
	}
}

func (f *franz) joinShare(a *hand.Ask) (any, error) {
	s := &share{held: map[place]*kgo.Record{}}
	client, err := kgo.NewClient(kgo.SeedBrokers(f.seed), kgo.ClientID(f.clientID), kgo.ShareGroup(a.Group), kgo.ConsumeTopics(a.Topics...),
		kgo.FetchMaxWait(250*time.Millisecond), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(100*time.Millisecond),
		kgo.ShareAckCallback(s.answered))
	if err != nil {
		return nil, err
	}
	s.client = client
	f.shares[a.Consumer] = s
	return hand.Nothing{}, nil
}

func (f *franz) pollShare(a *hand.Ask) (any, error) {
	s := f.shares[a.Consumer]
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(a.Ms)*time.Millisecond)
	defer cancel()
	fetches := s.client.PollFetches(ctx)
	if err := refusal(fetches); err != nil {
		return nil, err
	}
	records := []hand.RecordRead{}
	for _, r := range fetches.Records() {
		s.held[place{hand.TopicPartition{Topic: r.Topic, Partition: r.Partition}, r.Offset}] = r
		records = append(records, read(r))
	}
	return map[string]any{"records": records}, nil
}

func (f *franz) acknowledge(a *hand.Ask) (any, error) {
	s := f.shares[a.Consumer]
	words := map[string]kgo.AckStatus{"accept": kgo.AckAccept, "release": kgo.AckRelease, "reject": kgo.AckReject}
	for _, of := range a.Of {
		at := place{of.TopicPartition, of.Offset}
		if s.held[at] == nil {
			return nil, hand.Client("offset %d was not given", of.Offset)
		}
		s.held[at].Ack(words[of.As])
		delete(s.held, at)
	}
	ctx, cancel := patiently()
	defer cancel()
	if err := s.client.FlushAcks(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	refuse := s.refuse
	s.refuse = nil
	return hand.Nothing{}, refuse
}

func (f *franz) closeShare(a *hand.Ask) (any, error) {
	if s, open := f.shares[a.Consumer]; open {
		s.client.Close()
		delete(f.shares, a.Consumer)
	}
	return hand.Nothing{}, nil
}
