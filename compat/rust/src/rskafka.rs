// rskafka as a hand (../../hand.ts): partitions read and written one by one, without groups and without transactions.
use std::collections::HashMap;
use std::io::{stdin, BufRead};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use rskafka::BackoffConfig;
use serde_json::{json, Value};

mod hand;
use hand::{number, packed, said_of, say, text, unpacked_bytes};

const REQUEST_MS: i32 = 30_000;
/// More than the 30 seconds without a broker that a producer must bear.
const PATIENCE: Duration = Duration::from_secs(75);
const BATCH_BYTES: u64 = 900_000;
const FETCH_BYTES: u64 = 1_048_576;

const CANNOT: &[(&str, &[&str])] = &[
    ("rskafka creates topics without configs", &["createTopic.configs"]),
    ("rskafka tells a topic's partitions, but not their leaders", &["describeTopic"]),
    ("rskafka cannot add partitions", &["createPartitions"]),
    ("rskafka has no configs", &["describeConfigs", "alterConfigs", "replaceConfigs"]),
    ("rskafka does not describe the cluster", &["describeCluster", "describeLogDirs"]),
    ("rskafka does not ask for the youngest record", &["offsetAt.at=youngest"]),
    (
        "rskafka asks with read_committed only, and does not leave out what was aborted",
        &["offsetAt.isolation", "openConsumer.isolation"],
    ),
    (
        "rskafka has no consumer groups",
        &[
            "listGroups", "describeGroup", "deleteGroup", "groupOffsets", "setGroupOffsets", "deleteGroupOffsets",
            "joinGroup", "commitOffsets",
        ],
    ),
    ("rskafka reads one partition at a time, when it is told to", &["pause", "resume"]),
    (
        "rskafka has no transactions",
        &[
            "describeProducers", "listTransactions", "describeTransaction", "openProducer.transactionalId",
            "openProducer.transactionTimeoutMs", "beginTransaction", "sendOffsets", "commitTransaction", "abortTransaction",
        ],
    ),
    ("rskafka has no client quotas", &["setQuotas", "describeQuotas"]),
    ("rskafka always sends acks=all", &["openProducer.acks=0", "openProducer.acks=1"]),
    ("rskafka has no idempotent producer", &["openProducer.idempotent=true"]),
    ("rskafka has no partitioner", &["produce.keys"]),
    (
        "rskafka keeps headers in a map: sorted, each name once, no null",
        &["produce.headerList", "produce.null-header"],
    ),
    (
        "rskafka has no share groups",
        &["joinShare", "pollShare", "acknowledge", "renew", "closeShare"],
    ),
];

enum Problem {
    Cannot(String),
    Client(String),
    Kafka(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::Kafka(error)
    }
}

type Answer = Result<Value, Problem>;

struct Producer {
    codec: Compression,
    batch_bytes: u64,
    partitions: HashMap<(String, i32), Arc<PartitionClient>>,
}

struct Consumer {
    partition: PartitionClient,
    next: i64,
    fetch_bytes: i32,
}

struct Hand {
    client: Client,
    producers: HashMap<String, Producer>,
    consumers: HashMap<String, Consumer>,
}

impl Hand {
    async fn play(&mut self, ask: &Value) -> Answer {
        match text(ask, "verb") {
            "createTopic" => {
                let count = number(ask, "partitions") as i32;
                let controller = self.client.controller_client()?;
                controller.create_topic(text(ask, "topic"), count, 1, REQUEST_MS).await?;
                Ok(json!({}))
            }
            "deleteTopic" => {
                self.client.controller_client()?.delete_topic(text(ask, "topic"), REQUEST_MS).await?;
                Ok(json!({}))
            }
            "listTopics" => {
                let topics = self.client.list_topics().await?;
                Ok(json!({ "topics": topics.into_iter().map(|topic| topic.name).collect::<Vec<_>>() }))
            }
            "deleteRecords" => {
                self.partition(ask).await?.delete_records(number(ask, "before"), REQUEST_MS).await?;
                Ok(json!({}))
            }
            "offsetAt" => {
                let at = place(&ask["at"])?;
                Ok(json!({ "offset": self.partition(ask).await?.get_offset(at).await? }))
            }
            "openProducer" => self.open_producer(ask),
            "produce" => self.produce(ask).await,
            "closeProducer" => {
                self.producers.remove(text(ask, "producer"));
                Ok(json!({}))
            }
            "openConsumer" => self.open_consumer(ask).await,
            "poll" => self.poll(ask).await,
            "seek" => {
                self.consumer(ask)?.next = number(ask, "offset");
                Ok(json!({}))
            }
            "closeConsumer" => {
                self.consumers.remove(text(ask, "consumer"));
                Ok(json!({}))
            }
            other => Err(Problem::Cannot(format!("rskafka has no {other}"))),
        }
    }

    async fn partition(&self, ask: &Value) -> Result<PartitionClient, Error> {
        let partition = number(ask, "partition") as i32;
        self.client.partition_client(text(ask, "topic"), partition, UnknownTopicHandling::Error).await
    }

    fn open_producer(&mut self, ask: &Value) -> Answer {
        let codec = match ask["codec"].as_str() {
            None | Some("none") => Compression::NoCompression,
            Some("gzip") => Compression::Gzip,
            Some("snappy") => Compression::Snappy,
            Some("lz4") => Compression::Lz4,
            Some("zstd") => Compression::Zstd,
            Some(other) => return Err(Problem::Cannot(format!("rskafka has no codec {other}"))),
        };
        let batch_bytes = ask["batchBytes"].as_u64().unwrap_or(BATCH_BYTES);
        let producer = Producer { codec, batch_bytes, partitions: HashMap::new() };
        self.producers.insert(text(ask, "producer").to_owned(), producer);
        Ok(json!({}))
    }

    async fn produce(&mut self, ask: &Value) -> Answer {
        let topic = text(ask, "topic");
        let mut batches: Vec<(i32, u64, Vec<Record>)> = vec![];
        let name = text(ask, "producer");
        let producer = self.producers.get_mut(name).ok_or_else(|| Problem::Client(format!("no producer {name}")))?;
        for sent in ask["records"].as_array().into_iter().flatten() {
            let Some(partition) = sent["partition"].as_i64() else {
                return Err(Problem::Cannot("rskafka has no partitioner".to_owned()));
            };
            let record = unpacked(sent)?;
            let size = record.approximate_size() as u64;
            match batches.last_mut() {
                Some((to, bytes, records)) if *to == partition as i32 && *bytes + size <= producer.batch_bytes => {
                    *bytes += size;
                    records.push(record);
                }
                _ => batches.push((partition as i32, size, vec![record])),
            }
        }
        let mut offsets = vec![];
        for (partition, _, records) in batches {
            let place = (topic.to_owned(), partition);
            if !producer.partitions.contains_key(&place) {
                // A topic that is not there yet appears because the client asks for it again and again.
                let opened = self.client.partition_client(topic, partition, UnknownTopicHandling::Retry).await?;
                producer.partitions.insert(place.clone(), Arc::new(opened));
            }
            offsets.extend(producer.partitions[&place].produce(records, producer.codec).await?);
        }
        Ok(json!({ "offsets": offsets }))
    }

    async fn open_consumer(&mut self, ask: &Value) -> Answer {
        let partition = self.partition(ask).await?;
        let from = &ask["from"];
        let next = match (from["offset"].as_i64(), from["timestamp"].as_i64()) {
            (Some(offset), _) => offset,
            (_, Some(_)) => match partition.get_offset(place(&from["timestamp"])?).await? {
                -1 => partition.get_offset(OffsetAt::Latest).await?,
                found => found,
            },
            _ => partition.get_offset(place(from)?).await?,
        };
        let fetch_bytes = ask["fetchBytes"].as_u64().unwrap_or(FETCH_BYTES) as i32;
        self.consumers.insert(text(ask, "consumer").to_owned(), Consumer { partition, next, fetch_bytes });
        Ok(json!({}))
    }

    async fn poll(&mut self, ask: &Value) -> Answer {
        let ms = number(ask, "ms") as i32;
        let consumer = self.consumer(ask)?;
        let (topic, partition) = (consumer.partition.topic(), consumer.partition.partition());
        let (came, _) = consumer.partition.fetch_records(consumer.next, 1..consumer.fetch_bytes, ms).await?;
        let records: Vec<Value> = came
            .iter()
            .map(|read| {
                let record = &read.record;
                let headers: Vec<Value> =
                    record.headers.iter().map(|(name, held)| json!([name, packed(Some(held))])).collect();
                json!({
                    "topic": topic, "partition": partition, "offset": read.offset,
                    "timestamp": record.timestamp.timestamp_millis(),
                    "key": packed(record.key.as_deref()), "value": packed(record.value.as_deref()), "headers": headers,
                })
            })
            .collect();
        let answer = json!({ "records": records, "assigned": [{ "topic": topic, "partition": partition }] });
        if let Some(last) = came.last() {
            consumer.next = last.offset + 1;
        }
        Ok(answer)
    }

    fn consumer(&mut self, ask: &Value) -> Result<&mut Consumer, Problem> {
        let name = text(ask, "consumer");
        self.consumers.get_mut(name).ok_or_else(|| Problem::Client(format!("no consumer {name}")))
    }
}

fn time(ms: i64) -> Result<DateTime<Utc>, Problem> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| Problem::Client(format!("{ms} is no time")))
}

fn place(at: &Value) -> Result<OffsetAt, Problem> {
    match (at.as_str(), at.as_i64()) {
        (Some("start"), _) => Ok(OffsetAt::Earliest),
        (Some("end"), _) => Ok(OffsetAt::Latest),
        (_, Some(ms)) => Ok(OffsetAt::Timestamp(time(ms)?)),
        _ => Err(Problem::Cannot(format!("rskafka does not ask for {at}"))),
    }
}

fn bytes(held: &Value) -> Result<Option<Vec<u8>>, Problem> {
    unpacked_bytes(held).map_err(Problem::Client)
}

fn unpacked(sent: &Value) -> Result<Record, Problem> {
    let mut record = Record {
        key: bytes(&sent["key"])?,
        value: bytes(&sent["value"])?,
        headers: Default::default(),
        timestamp: sent["timestamp"].as_i64().map_or_else(|| Ok(now()), time)?,
    };
    for header in sent["headers"].as_array().into_iter().flatten() {
        let name = header[0].as_str().unwrap_or_default().to_owned();
        let held = bytes(&header[1])?.ok_or_else(|| Problem::Cannot("rskafka has no null headers".to_owned()))?;
        if record.headers.insert(name, held).is_some() {
            return Err(Problem::Cannot("rskafka has each header once".to_owned()));
        }
    }
    Ok(record)
}

fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

/// Kafka's own name: rskafka's names are the same words.
fn name_of(error: &Error) -> Value {
    match error {
        Error::ServerError { protocol_error: ProtocolError::Unknown(code), .. } => json!(code),
        Error::ServerError { protocol_error, .. } => {
            let mut name = String::new();
            for letter in format!("{protocol_error:?}").chars() {
                if letter.is_uppercase() && !name.is_empty() {
                    name.push('_');
                }
                name.push(letter.to_ascii_uppercase());
            }
            json!(name)
        }
        _ => json!("CLIENT"),
    }
}

#[tokio::main]
async fn main() {
    let bootstrap = std::env::args().nth(1).expect("the bootstrap address is the only argument");
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(50),
        max_backoff: Duration::from_millis(500),
        base: 2.0,
        deadline: Some(PATIENCE),
    };
    let built = ClientBuilder::new(vec![bootstrap]).backoff_config(backoff).build().await;
    let client = built.expect("the broker is there");
    say(json!({ "hello": {
        "client": "rskafka", "version": env!("RSKAFKA_VERSION"), "runtime": env!("RUST_VERSION"), "cannot": said_of(CANNOT),
    } }));
    let mut hand = Hand { client, producers: HashMap::new(), consumers: HashMap::new() };
    for line in stdin().lock().lines().map_while(Result::ok) {
        let ask: Value = serde_json::from_str(&line).expect("a command is JSON");
        let answer = tokio::time::timeout(PATIENCE + Duration::from_secs(15), hand.play(&ask)).await;
        say(match answer {
            Ok(Ok(ok)) => json!({ "ok": ok }),
            Ok(Err(Problem::Cannot(why))) => json!({ "cannot": why }),
            Ok(Err(Problem::Client(message))) => json!({ "error": "CLIENT", "message": message }),
            Ok(Err(Problem::Kafka(error))) => json!({ "error": name_of(&error), "message": error.to_string() }),
            Err(_) => json!({ "error": "CLIENT", "message": "nothing came back" }),
        });
    }
    std::process::exit(0); // a client that still tries to reach a broker would hold the process
}
