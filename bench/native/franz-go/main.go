// A cross-check on the native clients: franz-go producing and consuming, with their arguments, marks and result line.
// franz-go-client produce | consume --name value …
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

var named = map[string]string{}
var stdin = bufio.NewReader(os.Stdin)

func text(name, otherwise string) string {
	if value, is := named[name]; is {
		return value
	}
	return otherwise
}

func number(name string, otherwise int) int {
	if value, err := strconv.Atoi(text(name, "")); err == nil {
		return value
	}
	return otherwise
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Says where we are and waits until the script has read its meters.
func mark(name string) {
	fmt.Printf("mark %s\n", name)
	_, err := stdin.ReadString('\n')
	must(err)
}

func say(messages int, since time.Time, failed int) {
	seconds := time.Since(since).Seconds()
	mark("end")
	line, err := json.Marshal(map[string]any{"messages": messages, "seconds": seconds, "failed": failed})
	must(err)
	fmt.Println(string(line))
}

func produce(ctx context.Context, topic string, messages, bytes int) {
	acks := map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}[text("acks", "1")]
	client, err := kgo.NewClient(kgo.SeedBrokers(text("brokers", "127.0.0.1:9092")), kgo.DefaultProduceTopic(topic),
		kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite(), kgo.ProducerLinger(5*time.Millisecond),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(200_000))
	must(err)
	must(client.Ping(ctx))
	value := make([]byte, bytes)
	for i := range value {
		value[i] = 'a' + byte(i*7%26)
	}
	mark("begin")
	start := time.Now()
	failed := 0 // promises are kept one after the other
	for range messages {
		client.Produce(ctx, &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed++
			}
		})
	}
	must(client.Flush(ctx))
	say(messages, start, failed)
}

func consume(ctx context.Context, topic string, messages int) {
	client, err := kgo.NewClient(kgo.SeedBrokers(text("brokers", "127.0.0.1:9092")), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	must(err)
	mark("begin")
	start := time.Now()
	received := 0
	for received < messages {
		fetches := client.PollFetches(ctx)
		for _, problem := range fetches.Errors() {
			must(problem.Err)
		}
		received += fetches.NumRecords()
	}
	say(received, start, 0)
}

func main() {
	for i := 2; i+1 < len(os.Args); i += 2 {
		named[os.Args[i][2:]] = os.Args[i+1]
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	mode, topic, messages := "", text("topic", "bench"), number("messages", 1_000_000)
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	switch mode {
	case "produce":
		produce(ctx, topic, messages, number("bytes", 1024))
	case "consume":
		consume(ctx, topic, messages)
	default:
		must(fmt.Errorf("produce | consume"))
	}
}
