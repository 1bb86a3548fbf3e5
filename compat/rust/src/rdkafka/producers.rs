//! Producers, with and without transactions.
use std::collections::HashMap;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, NoCustomPartitioner, Producer, ProducerContext, PurgeConfig, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use serde_json::{json, Value};

use super::consumers::Consumers;
use super::hand::{text, unpacked_bytes};
use super::{client, places, Answer, Problem};

const PATIENCE: Duration = Duration::from_secs(45);

/// Which produce of a producer a record belongs to, and which of its records it is.
type Ticket = (usize, usize);

/// Hears what became of each record.
struct Ear(Sender<(Ticket, Result<i64, KafkaError>)>);

impl ClientContext for Ear {}

impl ProducerContext for Ear {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        let outcome = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.clone()),
        };
        let _ = self.0.send((*ticket, outcome)); // nobody listens any more once the producer is closed
    }
}

type Client = ThreadedProducer<Ear, NoCustomPartitioner>;

struct Open {
    producer: Client,
    heard: Receiver<(Ticket, Result<i64, KafkaError>)>,
    round: usize,
    tells_offsets: bool,
    /// Its records have no more than a second or two.
    hurries: bool,
}

pub struct Producers {
    bootstrap: String,
    open: HashMap<String, Open>,
}

impl Producers {
    pub fn new(bootstrap: &str) -> Self {
        Producers { bootstrap: bootstrap.to_owned(), open: HashMap::new() }
    }

    pub fn open(&mut self, ask: &Value) -> Answer {
        let id = ask["transactionalId"].as_str();
        let timeout = ask["transactionTimeoutMs"].as_i64().unwrap_or(60_000);
        let patience = PATIENCE.as_millis() as i64;
        let acks = ask["acks"].as_i64();
        let idempotent = id.is_some() || ask["idempotent"] == true;
        let mut config = client(&self.bootstrap);
        config
            .set("acks", acks.map_or("all".to_owned(), |acks| acks.to_string()))
            .set("compression.type", ask["codec"].as_str().unwrap_or("none"))
            .set("enable.idempotence", idempotent.to_string())
            .set("message.timeout.ms", patience.to_string())
            .set("message.max.bytes", "1048588") // what a broker takes by default; librdkafka's own is a little less
            .set("linger.ms", "20")
            .set("topic.metadata.refresh.interval.ms", "2000");
        if let Some(bytes) = ask["batchBytes"].as_i64() {
            config.set("batch.size", bytes.to_string());
        }
        if let Some(id) = id {
            config
                .set("transactional.id", id)
                .set("transaction.timeout.ms", timeout.to_string())
                .set("message.timeout.ms", timeout.min(patience).to_string())
                .set("socket.timeout.ms", (timeout - 100).clamp(1000, 60_000).to_string());
        }
        let (tell, heard) = channel();
        let producer: Client = config.create_with_context(Ear(tell))?;
        if id.is_some() {
            producer.init_transactions(PATIENCE)?;
        }
        let hurries = id.is_some() && timeout < 3000;
        let open = Open { producer, heard, round: 0, tells_offsets: acks != Some(0), hurries };
        self.open.insert(text(ask, "producer").to_owned(), open);
        Ok(json!({}))
    }

    fn opened(&mut self, ask: &Value) -> Result<&mut Open, Problem> {
        self.open.get_mut(text(ask, "producer")).ok_or_else(|| Problem::Client("not open".to_owned()))
    }

    pub fn produce(&mut self, ask: &Value) -> Answer {
        let open = self.opened(ask)?;
        let topic = text(ask, "topic");
        let records = ask["records"].as_array().map_or(&[][..], Vec::as_slice);
        open.round += 1;
        if open.hurries {
            // librdkafka looks for topics that it does not know once a second, and by then the records may be too old.
            open.producer.client().fetch_metadata(Some(topic), PATIENCE)?;
        }
        for (index, record) in records.iter().enumerate() {
            open.send(topic, record, (open.round, index))?;
        }
        let mut offsets: Vec<Option<i64>> = vec![None; records.len()];
        let mut failure = None;
        let give_up_at = Instant::now() + PATIENCE + Duration::from_secs(2);
        let mut left = records.len();
        while left > 0 {
            let wait = give_up_at.saturating_duration_since(Instant::now());
            let Ok(((round, index), outcome)) = open.heard.recv_timeout(wait) else {
                return Err(Problem::Client("records were neither acknowledged nor refused".to_owned()));
            };
            if round != open.round {
                continue; // of one that was given up
            }
            left -= 1;
            match outcome {
                Ok(offset) => offsets[index] = Some(offset),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) => Err(error.into()),
            None if open.tells_offsets => Ok(json!({ "offsets": offsets })),
            None => Ok(json!({ "offsets": null })),
        }
    }

    pub fn begin(&mut self, ask: &Value) -> Answer {
        self.opened(ask)?.producer.begin_transaction()?;
        Ok(json!({}))
    }

    pub fn send_offsets(&mut self, ask: &Value, consumers: &Consumers) -> Answer {
        let group = match ask["consumer"].as_str() {
            Some(name) => consumers.metadata(name),
            None => {
                let stranger: BaseConsumer = client(&self.bootstrap).set("group.id", text(ask, "group")).create()?;
                stranger.group_metadata()
            }
        };
        let group = group.ok_or_else(|| Problem::Client("there is no such group".to_owned()))?;
        let offsets = places(&ask["offsets"])?;
        self.opened(ask)?.producer.send_offsets_to_transaction(&offsets, &group, PATIENCE)?;
        Ok(json!({}))
    }

    pub fn commit(&mut self, ask: &Value) -> Answer {
        self.opened(ask)?.producer.commit_transaction(PATIENCE)?;
        Ok(json!({}))
    }

    pub fn abort(&mut self, ask: &Value) -> Answer {
        self.opened(ask)?.producer.abort_transaction(PATIENCE)?;
        Ok(json!({}))
    }

    pub fn close(&mut self, ask: &Value) -> Answer {
        if let Some(open) = self.open.remove(text(ask, "producer")) {
            open.producer.purge(PurgeConfig::default().queue().inflight());
            let _ = open.producer.flush(Duration::from_millis(500));
        }
        Ok(json!({}))
    }
}

impl Open {
    fn send(&self, topic: &str, record: &Value, ticket: Ticket) -> Result<(), Problem> {
        let key = unpacked_bytes(&record["key"])?;
        let value = unpacked_bytes(&record["value"])?;
        let mut headers = OwnedHeaders::new();
        for header in record["headers"].as_array().into_iter().flatten() {
            let held = unpacked_bytes(&header[1])?;
            headers = headers.insert(Header { key: header[0].as_str().unwrap_or_default(), value: held.as_ref() });
        }
        let mut sent: BaseRecord<'_, [u8], [u8], Box<Ticket>> =
            BaseRecord::with_opaque_to(topic, Box::new(ticket)).headers(headers);
        sent.partition = record["partition"].as_i64().map(|partition| partition as i32);
        sent.timestamp = record["timestamp"].as_i64();
        sent.key = key.as_deref();
        sent.payload = value.as_deref();
        loop {
            match self.producer.send(sent) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => sent = again,
                Err((error, _)) => return Err(error.into()),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
