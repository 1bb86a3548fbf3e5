//! Consumers: one partition without a group, or a member of one. librdkafka keeps the member alive by itself.
use std::collections::HashMap;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerGroupMetadata, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use serde_json::{json, Value};

use super::admin::{Admin, PATIENCE};
use super::hand::{number, packed, text};
use super::{client, places, told, Answer, Problem};

struct Open {
    consumer: BaseConsumer,
    /// Behind the last records that poll gave.
    behind: HashMap<(String, i32), i64>,
}

pub struct Consumers {
    bootstrap: String,
    open: HashMap<String, Open>,
}

/// What librdkafka overcomes by itself: a topic, a coordinator or a generation that is not there yet.
fn passes(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::*;
    match error.rdkafka_error_code() {
        None | Some(UnknownTopicOrPartition | RebalanceInProgress | IllegalGeneration | UnknownMemberId) => true,
        Some(CoordinatorLoadInProgress | CoordinatorNotAvailable | NotCoordinator) => true,
        Some(Fatal | AutoOffsetReset) => false,
        Some(code) => (code as i32) < 0,
    }
}

fn read(message: &impl Message<Headers = rdkafka::message::BorrowedHeaders>) -> Value {
    let headers: Vec<Value> = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter())
        .map(|header| json!([header.key, packed(header.value)]))
        .collect();
    json!({
        "topic": message.topic(), "partition": message.partition(), "offset": message.offset(),
        "timestamp": message.timestamp().to_millis().unwrap_or(-1),
        "key": packed(message.key()), "value": packed(message.payload()), "headers": headers,
    })
}

impl Consumers {
    pub fn new(bootstrap: &str) -> Self {
        Consumers { bootstrap: bootstrap.to_owned(), open: HashMap::new() }
    }

    fn config(&self, ask: &Value, group: &str) -> ClientConfig {
        let mut config = client(&self.bootstrap);
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("isolation.level", ask["isolation"].as_str().unwrap_or("read_uncommitted"))
            .set("fetch.wait.max.ms", "100")
            .set("topic.metadata.refresh.interval.ms", "1000");
        if let Some(bytes) = ask["fetchBytes"].as_i64() {
            let all = bytes.clamp(1000, 1_000_000_000);
            config
                .set("message.max.bytes", all.to_string())
                .set("fetch.max.bytes", bytes.max(1000).to_string())
                .set("max.partition.fetch.bytes", bytes.to_string())
                .set("receive.message.max.bytes", (bytes + 100_000_000).min(2_147_483_647).to_string());
        }
        config
    }

    fn keep(&mut self, ask: &Value, consumer: BaseConsumer) -> Answer {
        self.open.insert(text(ask, "consumer").to_owned(), Open { consumer, behind: HashMap::new() });
        Ok(json!({}))
    }

    fn opened(&mut self, ask: &Value) -> Result<&mut Open, Problem> {
        self.open.get_mut(text(ask, "consumer")).ok_or_else(|| Problem::Client("not open".to_owned()))
    }

    pub fn open(&mut self, ask: &Value, admin: &Admin) -> Answer {
        let from = &ask["from"];
        let at = match from["offset"].as_i64() {
            Some(offset) => offset,
            None => {
                let found = admin.offset_at(ask, if from.is_object() { &from["timestamp"] } else { from })?;
                // No record is that young: what comes is.
                if found < 0 { admin.offset_at(ask, &json!("end"))? } else { found }
            }
        };
        let consumer: BaseConsumer = self.config(ask, "nobody").set("auto.offset.reset", "error").create()?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(text(ask, "topic"), number(ask, "partition") as i32, Offset::Offset(at))?;
        consumer.assign(&list)?;
        self.keep(ask, consumer)
    }

    pub fn join(&mut self, ask: &Value) -> Answer {
        let session = ask["sessionTimeoutMs"].as_i64().unwrap_or(45_000);
        let mut config = self.config(ask, text(ask, "group"));
        config
            .set("auto.offset.reset", ask["reset"].as_str().unwrap_or("earliest"))
            .set("session.timeout.ms", session.to_string())
            .set("heartbeat.interval.ms", (session / 3).min(1000).to_string());
        if let Some(assignor) = ask["assignor"].as_str() {
            config.set("partition.assignment.strategy", assignor);
        }
        if let Some(instance) = ask["instance"].as_str() {
            config.set("group.instance.id", instance);
        }
        let pattern = ask["pattern"].as_str().map(|pattern| format!("^{pattern}"));
        let topics: Vec<&str> = match &pattern {
            Some(pattern) => vec![pattern],
            None => ask["topics"].as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        };
        let consumer: BaseConsumer = config.create()?;
        consumer.subscribe(&topics)?;
        self.keep(ask, consumer)
    }

    pub fn poll(&mut self, ask: &Value) -> Answer {
        let mut wait = Duration::from_millis(number(ask, "ms") as u64);
        let open = self.opened(ask)?;
        let mut records = vec![];
        while let Some(came) = open.consumer.poll(wait) {
            wait = Duration::ZERO;
            match came {
                Ok(message) => {
                    records.push(read(&message));
                    let place = (message.topic().to_owned(), message.partition());
                    open.behind.insert(place, message.offset() + 1);
                }
                Err(error) if passes(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(json!({ "records": records, "assigned": told(&open.consumer.assignment()?) }))
    }

    pub fn commit(&mut self, ask: &Value) -> Answer {
        let open = self.opened(ask)?;
        let mut offsets = places(&ask["offsets"])?;
        if ask["offsets"].is_null() {
            for owned in open.consumer.assignment()?.elements() {
                let (topic, partition) = (owned.topic(), owned.partition());
                if let Some(behind) = open.behind.get(&(topic.to_owned(), partition)) {
                    offsets.add_partition_offset(topic, partition, Offset::Offset(*behind))?;
                }
            }
        }
        if offsets.count() > 0 {
            open.consumer.commit(&offsets, CommitMode::Sync)?;
        }
        Ok(json!({}))
    }

    pub fn pause(&mut self, ask: &Value) -> Answer {
        self.opened(ask)?.consumer.pause(&places(&ask["partitions"])?)?;
        Ok(json!({}))
    }

    pub fn resume(&mut self, ask: &Value) -> Answer {
        self.opened(ask)?.consumer.resume(&places(&ask["partitions"])?)?;
        Ok(json!({}))
    }

    pub fn seek(&mut self, ask: &Value) -> Answer {
        let (topic, partition) = (text(ask, "topic"), number(ask, "partition") as i32);
        self.opened(ask)?.consumer.seek(topic, partition, Offset::Offset(number(ask, "offset")), PATIENCE)?;
        Ok(json!({}))
    }

    pub fn metadata(&self, name: &str) -> Option<ConsumerGroupMetadata> {
        self.open.get(name)?.consumer.group_metadata()
    }

    pub fn close(&mut self, ask: &Value) -> Answer {
        if let Some(open) = self.open.remove(text(ask, "consumer")) {
            leave(&open.consumer);
        }
        Ok(json!({}))
    }

    pub fn close_all(&mut self) {
        for open in self.open.values() {
            leave(&open.consumer);
        }
        self.open.clear();
    }
}

/// librdkafka 2.0 closes a cooperative member without a LeaveGroup: the others would wait for its session to end.
fn leave(consumer: &BaseConsumer) {
    if !matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative) {
        return;
    }
    consumer.unsubscribe();
    for _ in 0..100 {
        if consumer.assignment().map_or(true, |owned| owned.count() == 0) {
            return;
        }
        let _ = consumer.poll(Duration::from_millis(20));
    }
}
