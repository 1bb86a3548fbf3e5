// A command's fields. One struct for all verbs: names mean the same everywhere, save the few that have readers below.
package hand

import (
	"encoding/base64"
	"encoding/json"
)

type Ask struct {
	Verb     string
	Topic    string
	Group    string
	Consumer string
	Producer string

	Partition  int32
	Partitions json.RawMessage // a count, numbers, or topic-partitions: by verb
	Offset     int64
	Offsets    []OffsetAt
	Before     int64
	Count      int32
	Records    []RecordToSend
	Of         []Acknowledgement

	From json.RawMessage // "start", "end", {"offset":n} or {"timestamp":n}
	At   json.RawMessage // "start", "end", "youngest" or a time

	Resource string
	Name     string
	Names    []string
	Configs  map[string]string
	Set      map[string]string
	Remove   []string

	Acks                 json.RawMessage // 0, 1 or "all"
	Codec                string
	Idempotent           bool
	TransactionalId      string
	TransactionTimeoutMs int64
	BatchBytes           int

	Topics           []string
	Pattern          string
	Protocol         string
	Assignor         string
	Instance         string
	Reset            string
	Isolation        string
	SessionTimeoutMs int64
	FetchBytes       int32
	Ms               int64

	States   []string
	Types    []string
	Type     string
	ClientId string
	Quotas   map[string]*float64
}

type TopicPartition struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
}

type OffsetAt struct {
	TopicPartition
	Offset   int64  `json:"offset"`
	Metadata string `json:"metadata,omitempty"`
}

type Acknowledgement struct {
	TopicPartition
	Offset int64
	As     string
}

// Bytes are base64 or null; nil is null, and what is empty is not nil.
type Bytes []byte

func (b Bytes) MarshalJSON() ([]byte, error) {
	if b == nil {
		return []byte("null"), nil
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(b))
}

func (b *Bytes) UnmarshalJSON(line []byte) error {
	var text *string
	if err := json.Unmarshal(line, &text); err != nil || text == nil {
		*b = nil
		return err
	}
	held, err := base64.StdEncoding.DecodeString(*text)
	if held == nil {
		held = []byte{}
	}
	*b = held
	return err
}

// Header is a pair: a name and bytes.
type Header struct {
	Name  string
	Value Bytes
}

func (h Header) MarshalJSON() ([]byte, error) { return json.Marshal([]any{h.Name, h.Value}) }

func (h *Header) UnmarshalJSON(line []byte) error {
	return json.Unmarshal(line, &[]any{&h.Name, &h.Value})
}

type Record struct {
	Key     Bytes    `json:"key"`
	Value   Bytes    `json:"value"`
	Headers []Header `json:"headers"`
}

type RecordToSend struct {
	Record
	Partition *int32
	Timestamp *int64
}

type RecordRead struct {
	Record
	TopicPartition
	Offset        int64 `json:"offset"`
	Timestamp     int64 `json:"timestamp"`
	DeliveryCount int32 `json:"deliveryCount,omitempty"`
}

// Place is where reading begins, or which offset is asked for: a word, an offset, or a time.
type Place struct {
	Word      string
	Offset    int64
	Timestamp int64
}

func PlaceOf(field json.RawMessage) Place {
	var word string
	if json.Unmarshal(field, &word) == nil {
		return Place{Word: word}
	}
	var time int64
	if json.Unmarshal(field, &time) == nil {
		return Place{Timestamp: time}
	}
	var either struct{ Offset, Timestamp *int64 }
	_ = json.Unmarshal(field, &either)
	if either.Offset != nil {
		return Place{Word: "offset", Offset: *either.Offset}
	}
	if either.Timestamp != nil {
		return Place{Timestamp: *either.Timestamp}
	}
	return Place{Word: "start"}
}

// AckCount is -1 for all.
func (a *Ask) AckCount() int {
	count := -1
	_ = json.Unmarshal(a.Acks, &count)
	return count
}

func (a *Ask) PartitionCount() (count int32) {
	_ = json.Unmarshal(a.Partitions, &count)
	return count
}

func (a *Ask) PartitionNumbers() (numbers []int32) {
	_ = json.Unmarshal(a.Partitions, &numbers)
	return numbers
}

func (a *Ask) TopicPartitions() (list []TopicPartition) {
	_ = json.Unmarshal(a.Partitions, &list)
	return list
}

func (a *Ask) ReadCommitted() bool { return a.Isolation == "read_committed" }
