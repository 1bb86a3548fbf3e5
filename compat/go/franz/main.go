// The hand of franz-go: kgo to produce and consume, kadm (and kmsg where kadm hides a field) to administrate.
package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"twiglog.compat/hand"
)

const patience = 45 * time.Second

type franz struct {
	seed      string
	clientID  string
	admin     *kadm.Client
	wire      *kgo.Client // the admin's own connection, for requests kadm hides a field of
	producers map[string]*producer
	consumers map[string]*consumer
	shares    map[string]*share
}

func main() {
	clientID := cmp.Or(os.Getenv("COMPAT_CLIENT_ID"), "compat-franz-go")
	wire, err := kgo.NewClient(kgo.SeedBrokers(os.Args[1]), kgo.ClientID(clientID), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		panic(err)
	}
	f := &franz{
		seed:      os.Args[1],
		clientID:  clientID,
		admin:     kadm.NewClient(wire),
		wire:      wire,
		producers: map[string]*producer{},
		consumers: map[string]*consumer{},
		shares:    map[string]*share{},
	}
	hello := hand.Hello{
		Client:   "franz-go",
		Version:  hand.Version("github.com/twmb/franz-go"),
		ClientID: clientID,
		Cannot: map[string]string{
			"branch.promote": "kgo does not follow a name to another topic id, as it does not follow one that was made anew",
		},
	}
	hand.Serve(hello, f.verbs(), naming, f.close)
}

func (f *franz) verbs() hand.Verbs {
	return hand.Verbs{
		"createTopic": f.createTopic, "deleteTopic": f.deleteTopic, "listTopics": f.listTopics,
		"describeTopic": f.describeTopic, "createPartitions": f.createPartitions,
		"describeConfigs": f.describeConfigs, "alterConfigs": f.alterConfigs, "replaceConfigs": f.replaceConfigs,
		"deleteRecords": f.deleteRecords, "offsetAt": f.offsetAt, "describeCluster": f.describeCluster,
		"describeLogDirs": f.describeLogDirs,

		"listGroups": f.listGroups, "describeGroup": f.describeGroup, "deleteGroup": f.deleteGroup,
		"groupOffsets": f.groupOffsets, "setGroupOffsets": f.setGroupOffsets, "deleteGroupOffsets": f.deleteGroupOffsets,
		"describeProducers": f.describeProducers, "listTransactions": f.listTransactions,
		"describeTransaction": f.describeTransaction, "setQuotas": f.setQuotas, "describeQuotas": f.describeQuotas,

		"openProducer": f.openProducer, "produce": f.produce, "beginTransaction": f.beginTransaction,
		"sendOffsets": f.sendOffsets, "commitTransaction": f.commitTransaction,
		"abortTransaction": f.abortTransaction, "closeProducer": f.closeProducer,

		"openConsumer": f.openConsumer, "joinGroup": f.joinGroup, "poll": f.poll, "commitOffsets": f.commitOffsets,
		"pause": f.pause, "resume": f.resume, "seek": f.seek, "closeConsumer": f.closeConsumer,

		"joinShare": f.joinShare, "pollShare": f.pollShare, "acknowledge": f.acknowledge, "closeShare": f.closeShare,
	}
}

func (f *franz) close() {
	for _, p := range f.producers {
		p.client.Close()
	}
	for _, c := range f.consumers {
		c.client.Close()
	}
	for _, s := range f.shares {
		s.client.Close()
	}
	f.wire.Close()
}

// naming: kerr calls every error by Kafka's own name.
func naming(err error) any {
	var named *kerr.Error
	if errors.As(err, &named) {
		return named.Message
	}
	return "CLIENT"
}

func patiently() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}
