// rust-rdkafka as a hand (../../../hand.ts), over the librdkafka that the system has.
use std::io::{stdin, BufRead};

use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use serde_json::{json, Value};

#[path = "../hand.rs"]
mod hand;
use hand::{number, said_of, say, text, Cannot};

mod admin;
mod consumers;
mod producers;

const CANNOT: &[Cannot] = &[
    ("rust-rdkafka 0.33 has no IncrementalAlterConfigs", &["alterConfigs"]),
    ("librdkafka 2.0 has no configs of groups", &["describeConfigs.resource=group"]),
    ("rust-rdkafka does not delete records", &["deleteRecords"]),
    ("rust-rdkafka asks for no offsets with an isolation level", &["offsetAt.isolation", "offsetAt.at=youngest"]),
    ("rust-rdkafka does not tell the controller", &["describeCluster"]),
    ("rust-rdkafka does not ask for log directories", &["describeLogDirs"]),
    ("rust-rdkafka lists groups without filters", &["listGroups.states", "listGroups.types"]),
    ("rust-rdkafka knows classic groups only", &["describeGroup.type=consumer", "describeGroup.type=share"]),
    ("rust-rdkafka 0.33 does not delete offsets", &["deleteGroupOffsets"]),
    ("rust-rdkafka does not describe producers and transactions", &["describeProducers", "listTransactions", "describeTransaction"]),
    ("rust-rdkafka has no client quotas", &["setQuotas", "describeQuotas"]),
    ("librdkafka 2.0 has no KIP-848", &["joinGroup.protocol=consumer"]),
    ("librdkafka's only sticky assignor is the cooperative one", &["joinGroup.assignor=sticky"]),
    ("rust-rdkafka has no share consumer", &["joinShare", "pollShare", "acknowledge", "renew", "closeShare"]),
];

pub enum Problem {
    Cannot(&'static str),
    Client(String),
    Kafka(KafkaError),
}

impl From<KafkaError> for Problem {
    fn from(error: KafkaError) -> Self {
        Problem::Kafka(error)
    }
}

impl From<RDKafkaErrorCode> for Problem {
    fn from(code: RDKafkaErrorCode) -> Self {
        Problem::Kafka(KafkaError::Global(code))
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Problem::Client(message)
    }
}

pub type Answer = Result<Value, Problem>;

/// What every client of this hand begins with.
pub fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

/// Partitions as a command names them, with offsets and words where it has them.
pub fn places(list: &Value) -> Result<TopicPartitionList, Problem> {
    let mut made = TopicPartitionList::new();
    for each in list.as_array().into_iter().flatten() {
        let mut place = made.add_partition(text(each, "topic"), number(each, "partition") as i32);
        if let Some(offset) = each["offset"].as_i64() {
            place.set_offset(Offset::Offset(offset))?;
        }
        if let Some(metadata) = each["metadata"].as_str() {
            place.set_metadata(metadata);
        }
    }
    Ok(made)
}

pub fn told(list: &TopicPartitionList) -> Vec<Value> {
    let mut found: Vec<(String, i32)> =
        list.elements().iter().map(|place| (place.topic().to_owned(), place.partition())).collect();
    found.sort();
    found.into_iter().map(|(topic, partition)| json!({ "topic": topic, "partition": partition })).collect()
}

struct Hand {
    admin: admin::Admin,
    consumers: consumers::Consumers,
    producers: producers::Producers,
}

impl Hand {
    async fn play(&mut self, ask: &Value) -> Answer {
        match text(ask, "verb") {
            "createTopic" => self.admin.create_topic(ask).await,
            "deleteTopic" => self.admin.delete_topic(ask).await,
            "listTopics" => self.admin.list_topics(),
            "describeTopic" => self.admin.describe_topic(ask),
            "createPartitions" => self.admin.create_partitions(ask).await,
            "describeConfigs" => self.admin.describe_configs(ask).await,
            "replaceConfigs" => self.admin.replace_configs(ask).await,
            "offsetAt" => Ok(json!({ "offset": self.admin.offset_at(ask, &ask["at"])? })),
            "listGroups" => self.admin.list_groups(),
            "describeGroup" => self.admin.describe_group(ask),
            "deleteGroup" => self.admin.delete_group(ask).await,
            "groupOffsets" => self.admin.group_offsets(ask),
            "setGroupOffsets" => self.admin.set_group_offsets(ask),
            "openProducer" => self.producers.open(ask),
            "produce" => self.producers.produce(ask),
            "beginTransaction" => self.producers.begin(ask),
            "sendOffsets" => self.producers.send_offsets(ask, &self.consumers),
            "commitTransaction" => self.producers.commit(ask),
            "abortTransaction" => self.producers.abort(ask),
            "closeProducer" => self.producers.close(ask),
            "openConsumer" => self.consumers.open(ask, &self.admin),
            "joinGroup" => self.consumers.join(ask),
            "poll" => self.consumers.poll(ask),
            "commitOffsets" => self.consumers.commit(ask),
            "pause" => self.consumers.pause(ask),
            "resume" => self.consumers.resume(ask),
            "seek" => self.consumers.seek(ask),
            "closeConsumer" => self.consumers.close(ask),
            _ => Err(Problem::Cannot("rust-rdkafka has no such thing")),
        }
    }
}

/// The broker's number where it has one; what is below zero is librdkafka's own.
fn named(error: &KafkaError) -> Value {
    match error.rdkafka_error_code().map(|code| code as i32) {
        Some(code) if code > 0 => json!(code),
        _ => json!("CLIENT"),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let bootstrap = std::env::args().nth(1).expect("the bootstrap address is the only argument");
    let (_, library) = rdkafka::util::get_rdkafka_version();
    say(json!({ "hello": {
        "client": "rust-rdkafka", "version": format!("{} (librdkafka {library})", env!("RDKAFKA_VERSION")),
        "runtime": env!("RUST_VERSION"), "cannot": said_of(CANNOT),
    } }));
    let mut hand = Hand {
        admin: admin::Admin::new(&bootstrap).expect("librdkafka makes an admin client"),
        consumers: consumers::Consumers::new(&bootstrap),
        producers: producers::Producers::new(&bootstrap),
    };
    for line in stdin().lock().lines().map_while(Result::ok) {
        let ask: Value = serde_json::from_str(&line).expect("a command is JSON");
        say(match hand.play(&ask).await {
            Ok(ok) => json!({ "ok": ok }),
            Err(Problem::Cannot(why)) => json!({ "cannot": why }),
            Err(Problem::Client(message)) => json!({ "error": "CLIENT", "message": message }),
            Err(Problem::Kafka(error)) => json!({ "error": named(&error), "message": error.to_string() }),
        });
    }
    hand.consumers.close_all();
    std::process::exit(0); // a client that still tries to reach a broker would hold the process
}
