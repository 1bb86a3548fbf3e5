// The hand of kafka-go: its Client to administrate, its Writer to produce, its ConsumerGroup and Reader to consume.
package main

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
	"twiglog.compat/hand"
)

const patience = 45 * time.Second

type hands struct {
	seed      string
	addr      net.Addr
	client    *kafka.Client
	producers map[string]*kafka.Writer
	consumers map[string]consumer
}

func main() {
	addr := kafka.TCP(os.Args[1])
	h := &hands{
		seed:      os.Args[1],
		addr:      addr,
		client:    &kafka.Client{Addr: addr, Timeout: patience, Transport: &kafka.Transport{MetadataTTL: 200 * time.Millisecond}},
		producers: map[string]*kafka.Writer{},
		consumers: map[string]consumer{},
	}
	noCall, noShare := "kafka-go has no such call", "kafka-go has no share consumer"
	noTransactions := "kafka-go has requests of transactions, but no producer of them"
	hand.Serve(hand.Hello{
		Client:  "kafka-go",
		Version: hand.Version("github.com/segmentio/kafka-go"),
		Cannot: map[string]string{
			"openProducer.idempotent=true": "kafka-go's writer is not idempotent", "openProducer.transactionalId": noTransactions,
			"poll.empty":                   "kafka-go's reader gives null for what is empty",
			"produce.null-header":          "kafka-go's reader gives null for what is empty",
			"produce.append-time":          "kafka-go shows the time of the producer where the broker's counts",
			"topic.recreated-under-client": "kafka-go's writer makes a topic again that was deleted, by asking for it",
			"beginTransaction":             noTransactions, "sendOffsets": noTransactions, "commitTransaction": noTransactions, "abortTransaction": noTransactions,
			"joinGroup.protocol=consumer": "kafka-go has no consumer for KIP-848 groups", "joinGroup.pattern": "kafka-go does not subscribe to patterns",
			"joinGroup.instance": "kafka-go's groups have no static members", "joinGroup.assignor=cooperative-sticky": "kafka-go has no cooperative assignor",
			"joinGroup.assignor=sticky": "kafka-go has no sticky assignor", "setGroupOffsets": "kafka-go commits offsets of a group only as a member",
			"describeGroup.type=consumer": "kafka-go describes classic groups only", "describeGroup.type=share": "kafka-go describes classic groups only",
			"listGroups.states": "kafka-go lists groups without filters", "listGroups.types": "kafka-go lists groups without filters",
			"offsetAt.at=youngest": "kafka-go does not ask for the youngest record", "deleteRecords": noCall, "describeLogDirs": noCall,
			"describeProducers": noCall, "listTransactions": noCall, "describeTransaction": noCall,
			"joinShare": noShare, "pollShare": noShare, "acknowledge": noShare, "closeShare": noShare,
		},
	}, h.verbs(), naming, h.close)
}

func (h *hands) verbs() hand.Verbs {
	return hand.Verbs{
		"createTopic": h.createTopic, "deleteTopic": h.deleteTopic, "listTopics": h.listTopics,
		"describeTopic": h.describeTopic, "createPartitions": h.createPartitions, "describeConfigs": h.describeConfigs,
		"alterConfigs": h.alterConfigs, "replaceConfigs": h.replaceConfigs, "offsetAt": h.offsetAt,
		"describeCluster": h.describeCluster,

		"listGroups": h.listGroups, "describeGroup": h.describeGroup, "deleteGroup": h.deleteGroup,
		"groupOffsets": h.groupOffsets, "deleteGroupOffsets": h.deleteGroupOffsets,
		"setQuotas": h.setQuotas, "describeQuotas": h.describeQuotas,

		"openProducer": h.openProducer, "produce": h.produce, "closeProducer": h.closeProducer,

		"openConsumer": h.openConsumer, "joinGroup": h.joinGroup, "poll": h.poll, "commitOffsets": h.commitOffsets,
		"pause": h.pause, "resume": h.resume, "seek": h.seek, "closeConsumer": h.closeConsumer,
	}
}

func (h *hands) close() {
	for _, p := range h.producers {
		_ = p.Close()
	}
	for _, c := range h.consumers {
		c.close()
	}
}

// naming: kafka-go has Kafka's number, one for each record of a write that failed.
func naming(err error) any {
	var many kafka.WriteErrors
	if errors.As(err, &many) {
		for _, each := range many {
			if each != nil {
				return naming(each)
			}
		}
	}
	var number kafka.Error
	if errors.As(err, &number) && number > 0 {
		return int(number)
	}
	return "CLIENT"
}

func patiently() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// first is the error of the one thing that was asked for.
func first[K comparable](failed map[K]error, err error) error {
	for _, each := range failed {
		if err == nil {
			err = each
		}
	}
	return err
}
