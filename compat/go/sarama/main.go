// The hand of sarama: its cluster admin, its sync producer, its partition consumer and its consumer group.
package main

import (
	"errors"
	"os"
	"time"

	"github.com/IBM/sarama"
	"twiglog.compat/hand"
)

type hands struct {
	seeds     []string
	client    sarama.Client
	admin     sarama.ClusterAdmin
	producers map[string]*producer
	consumers map[string]consumer
}

func main() {
	sarama.MaxResponseSize = 1 << 30
	h := &hands{seeds: os.Args[1:2], producers: map[string]*producer{}, consumers: map[string]consumer{}}
	var err error
	if h.client, err = sarama.NewClient(h.seeds, h.config()); err != nil {
		panic(err)
	}
	if h.admin, err = sarama.NewClusterAdminFromClient(h.client); err != nil {
		panic(err)
	}
	noShare := "sarama has no share consumer"
	hello := hand.Hello{
		Client:  "sarama",
		Version: hand.Version("github.com/IBM/sarama"),
		Cannot: map[string]string{
			"joinGroup.protocol=consumer": "sarama has no consumer for KIP-848 groups",
			"joinGroup.pattern":           "sarama does not subscribe to patterns",
			"offsetAt.at=youngest":        "sarama asks ListOffsets up to version 6, which does not know the youngest record",
			"describeGroup.type=consumer": "sarama describes classic groups only",
			"describeGroup.type=share":    "sarama describes classic groups only",
			"listGroups.states":           "sarama's admin lists groups without filters",
			"listGroups.types":            "sarama's admin lists groups without filters",
			"joinShare":                   noShare, "pollShare": noShare, "acknowledge": noShare, "closeShare": noShare,
		},
	}
	hand.Serve(hello, h.verbs(), naming, h.close)
}

// config is what everybody begins with: the newest protocol, and patience for a broker that is away for a while.
func (h *hands) config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Metadata.Retry.Max, c.Metadata.Retry.Backoff = 300, 100*time.Millisecond
	c.Metadata.RefreshFrequency = time.Second
	c.Metadata.AllowAutoTopicCreation = false
	c.Admin.Retry.Max, c.Admin.Retry.Backoff = 20, 100*time.Millisecond
	c.Producer.Return.Successes, c.Producer.Return.Errors = true, true
	c.Consumer.Return.Errors = true
	return c
}

func (h *hands) verbs() hand.Verbs {
	return hand.Verbs{
		"createTopic": h.createTopic, "deleteTopic": h.deleteTopic, "listTopics": h.listTopics,
		"describeTopic": h.describeTopic, "createPartitions": h.createPartitions,
		"describeConfigs": h.describeConfigs, "alterConfigs": h.alterConfigs, "replaceConfigs": h.replaceConfigs,
		"deleteRecords": h.deleteRecords, "offsetAt": h.offsetAt, "describeCluster": h.describeCluster,
		"describeLogDirs": h.describeLogDirs,

		"listGroups": h.listGroups, "describeGroup": h.describeGroup, "deleteGroup": h.deleteGroup,
		"groupOffsets": h.groupOffsets, "setGroupOffsets": h.setGroupOffsets, "deleteGroupOffsets": h.deleteGroupOffsets,
		"describeProducers": h.describeProducers, "listTransactions": h.listTransactions,
		"describeTransaction": h.describeTransaction, "setQuotas": h.setQuotas, "describeQuotas": h.describeQuotas,

		"openProducer": h.openProducer, "produce": h.produce, "beginTransaction": h.beginTransaction,
		"sendOffsets": h.sendOffsets, "commitTransaction": h.commitTransaction,
		"abortTransaction": h.abortTransaction, "closeProducer": h.closeProducer,

		"openConsumer": h.openConsumer, "joinGroup": h.joinGroup, "poll": h.poll, "commitOffsets": h.commitOffsets,
		"pause": h.pause, "resume": h.resume, "seek": h.seek, "closeConsumer": h.closeConsumer,
	}
}

func (h *hands) close() {
	for _, p := range h.producers {
		_ = p.sync.Close()
	}
	for _, c := range h.consumers {
		c.close()
	}
	_ = h.admin.Close() // and the client with it
}

// naming: sarama has Kafka's number, wrapped in one of several errors.
func naming(err error) any {
	var many sarama.ProducerErrors
	if errors.As(err, &many) && len(many) > 0 {
		return naming(many[0].Err)
	}
	var number sarama.KError
	if errors.As(err, &number) && number > 0 {
		return int(number)
	}
	var ofTopic *sarama.TopicError
	if errors.As(err, &ofTopic) {
		return int(ofTopic.Err)
	}
	return "CLIENT"
}
