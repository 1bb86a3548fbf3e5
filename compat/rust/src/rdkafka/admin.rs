//! What an administrator asks.
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigSource, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use serde_json::{json, Value};

use super::hand::{number, text};
use super::{client, places, Answer, Problem};

pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Admin {
    bootstrap: String,
    admin: AdminClient<DefaultClientContext>,
    /// For what only consumers ask.
    reader: BaseConsumer,
}

/// The one result of what was asked for one thing.
fn only<T, F>(results: Vec<Result<T, F>>, code: impl Fn(F) -> RDKafkaErrorCode) -> Result<T, Problem> {
    match results.into_iter().next() {
        Some(result) => result.map_err(|failed| code(failed).into()),
        None => Err(Problem::Client("nothing was answered".to_owned())),
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

fn resource(ask: &Value) -> ResourceSpecifier<'_> {
    match text(ask, "resource") {
        "broker" => ResourceSpecifier::Broker(text(ask, "name").parse().unwrap_or(-1)),
        _ => ResourceSpecifier::Topic(text(ask, "name")),
    }
}

fn pairs(configs: &Value) -> impl Iterator<Item = (&str, &str)> {
    configs.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
}

impl Admin {
    pub fn new(bootstrap: &str) -> Result<Self, rdkafka::error::KafkaError> {
        let admin = client(bootstrap).create()?;
        let reader = client(bootstrap).set("group.id", "nobody").create()?;
        Ok(Admin { bootstrap: bootstrap.to_owned(), admin, reader })
    }

    pub async fn create_topic(&self, ask: &Value) -> Answer {
        let mut topic =
            NewTopic::new(text(ask, "topic"), number(ask, "partitions") as i32, TopicReplication::Fixed(1));
        for (name, value) in pairs(&ask["configs"]) {
            topic = topic.set(name, value);
        }
        only(self.admin.create_topics([&topic], &options()).await?, |(_, code)| code)?;
        Ok(json!({}))
    }

    pub async fn delete_topic(&self, ask: &Value) -> Answer {
        only(self.admin.delete_topics(&[text(ask, "topic")], &options()).await?, |(_, code)| code)?;
        Ok(json!({}))
    }

    pub fn list_topics(&self) -> Answer {
        let metadata = self.reader.fetch_metadata(None, PATIENCE)?;
        Ok(json!({ "topics": metadata.topics().iter().map(|topic| topic.name()).collect::<Vec<_>>() }))
    }

    pub fn describe_topic(&self, ask: &Value) -> Answer {
        let metadata = self.reader.fetch_metadata(Some(text(ask, "topic")), PATIENCE)?;
        let topic = metadata.topics().first().ok_or(RDKafkaErrorCode::UnknownTopicOrPartition)?;
        if let Some(code) = topic.error() {
            return Err(RDKafkaErrorCode::from(code).into());
        }
        let told = |partition: &rdkafka::metadata::MetadataPartition| {
            json!({ "partition": partition.id(), "leader": partition.leader(), "replicas": partition.replicas() })
        };
        let mut partitions: Vec<_> = topic.partitions().iter().collect();
        partitions.sort_by_key(|partition| partition.id());
        Ok(json!({ "partitions": partitions.into_iter().map(told).collect::<Vec<_>>() }))
    }

    pub async fn create_partitions(&self, ask: &Value) -> Answer {
        let more = NewPartitions::new(text(ask, "topic"), number(ask, "count") as usize);
        only(self.admin.create_partitions([&more], &options()).await?, |(_, code)| code)?;
        Ok(json!({}))
    }

    pub async fn describe_configs(&self, ask: &Value) -> Answer {
        let described = only(self.admin.describe_configs([&resource(ask)], &options()).await?, |code| code)?;
        let mut configs = serde_json::Map::new();
        for entry in described.entries {
            if !ask["names"].as_array().into_iter().flatten().any(|name| name == entry.name.as_str()) {
                continue;
            }
            let source = match entry.source {
                ConfigSource::DynamicTopic => Some("DYNAMIC_TOPIC_CONFIG"),
                ConfigSource::DynamicBroker => Some("DYNAMIC_BROKER_CONFIG"),
                ConfigSource::DynamicDefaultBroker => Some("DYNAMIC_DEFAULT_BROKER_CONFIG"),
                ConfigSource::StaticBroker => Some("STATIC_BROKER_CONFIG"),
                ConfigSource::Default => Some("DEFAULT_CONFIG"),
                ConfigSource::Unknown => None,
            };
            configs.insert(entry.name, json!({ "value": entry.value, "source": source, "readOnly": entry.is_read_only }));
        }
        Ok(json!({ "configs": configs }))
    }

    pub async fn replace_configs(&self, ask: &Value) -> Answer {
        let mut config = AlterConfig::new(resource(ask));
        for (name, value) in pairs(&ask["configs"]) {
            config = config.set(name, value);
        }
        only(self.admin.alter_configs([&config], &options()).await?, |(_, code)| code)?;
        Ok(json!({}))
    }

    pub fn offset_at(&self, ask: &Value, at: &Value) -> Result<i64, Problem> {
        let (topic, partition) = (text(ask, "topic"), number(ask, "partition") as i32);
        if let Some(word) = at.as_str() {
            let (start, end) = self.reader.fetch_watermarks(topic, partition, PATIENCE)?;
            return Ok(if word == "start" { start } else { end });
        }
        let mut asked = TopicPartitionList::new();
        asked.add_partition_offset(topic, partition, Offset::Offset(at.as_i64().unwrap_or_default()))?;
        let found = self.reader.offsets_for_times(asked, PATIENCE)?;
        let elements = found.elements();
        let place = elements.first().ok_or_else(|| Problem::Client("no offset".to_owned()))?;
        place.error()?;
        Ok(match place.offset() {
            Offset::Offset(offset) => offset,
            _ => -1, // the end: no record is that young
        })
    }

    pub fn list_groups(&self) -> Answer {
        let list = self.reader.fetch_group_list(None, PATIENCE)?;
        let told = |group: &rdkafka::groups::GroupInfo| json!({ "group": group.name(), "state": group.state(), "type": null });
        Ok(json!({ "groups": list.groups().iter().map(told).collect::<Vec<_>>() }))
    }

    pub fn describe_group(&self, ask: &Value) -> Answer {
        let list = self.reader.fetch_group_list(Some(text(ask, "group")), PATIENCE)?;
        let group = list.groups().first().ok_or(RDKafkaErrorCode::GroupIdNotFound)?;
        // rust-rdkafka 0.33 makes a slice of a null pointer where there is none.
        let joined = if matches!(group.state(), "Empty" | "Dead") { &[] } else { group.members() };
        let members: Vec<Value> = joined
            .iter()
            .map(|member| {
                let assigned = member.assignment().and_then(assigned).unwrap_or_default();
                json!({ "clientId": member.client_id(), "instance": null, "assigned": assigned })
            })
            .collect();
        Ok(json!({ "state": group.state(), "protocol": group.protocol(), "members": members }))
    }

    pub async fn delete_group(&self, ask: &Value) -> Answer {
        only(self.admin.delete_groups(&[text(ask, "group")], &options()).await?, |(_, code)| code)?;
        Ok(json!({}))
    }

    /// Commits and asks for offsets without joining.
    fn of_group(&self, ask: &Value) -> Result<BaseConsumer, Problem> {
        Ok(client(&self.bootstrap).set("group.id", text(ask, "group")).create()?)
    }

    pub fn group_offsets(&self, ask: &Value) -> Answer {
        let topic = text(ask, "topic");
        let metadata = self.reader.fetch_metadata(Some(topic), PATIENCE)?;
        let mut asked = TopicPartitionList::new();
        for partition in metadata.topics().first().map_or(&[][..], |found| found.partitions()) {
            asked.add_partition(topic, partition.id());
        }
        let committed = self.of_group(ask)?.committed_offsets(asked, PATIENCE)?;
        let mut offsets = vec![];
        for place in committed.elements() {
            place.error()?;
            if let Offset::Offset(offset) = place.offset() {
                offsets.push(json!({ "partition": place.partition(), "offset": offset, "metadata": place.metadata() }));
            }
        }
        Ok(json!({ "offsets": offsets }))
    }

    pub fn set_group_offsets(&self, ask: &Value) -> Answer {
        self.of_group(ask)?.commit(&places(&ask["offsets"])?, CommitMode::Sync)?;
        Ok(json!({}))
    }
}

/// What a member of a classic group was given, by the consumer protocol: version, topics, each with its partitions.
fn assigned(bytes: &[u8]) -> Option<Vec<Value>> {
    let mut rest = bytes;
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at_checked(count)?;
        rest = left;
        Some(taken)
    };
    let mut found = vec![];
    take(2)?;
    let topics = i32::from_be_bytes(take(4)?.try_into().ok()?);
    for _ in 0..topics {
        let size = i16::from_be_bytes(take(2)?.try_into().ok()?);
        let topic = String::from_utf8_lossy(take(size as usize)?).into_owned();
        let partitions = i32::from_be_bytes(take(4)?.try_into().ok()?);
        for _ in 0..partitions {
            let partition = i32::from_be_bytes(take(4)?.try_into().ok()?);
            found.push(json!({ "topic": topic, "partition": partition }));
        }
    }
    Some(found)
}
