//! CloudWatch Logs: log streams are made as AWS's service names them, records go there in batches.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stepwright_sigv4::Credentials;
use stepwright_tasks::aws_json::{AwsJson, CallError, EndpointError};
use stepwright_types::arn::Arn;
use stepwright_types::timestamp;
use stepwright_value::{Value, write_string};

use crate::log::{Record, Writer};

/// One `PutLogEvents`. Source: CloudWatch Logs API Reference, "PutLogEvents": 1 MiB with 26 bytes for each event, 10,000
/// events, 24 hours from the first to the last.
const BATCH_BYTES_MAX: usize = 1 << 20;
const EVENT_BYTES: usize = 26;
const BATCH_EVENTS_MAX: usize = 10_000;
const BATCH_SPAN_MS_MAX: i64 = 24 * 60 * 60 * 1000;
/// A log stream is for one hour.
const STREAM_MS: i64 = 60 * 60 * 1000;
/// Attempts at a batch, and the pause before the second one, which doubles from then on.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(200);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Log streams that are known to be there; beyond it they are made anew.
const STREAMS_MAX: usize = 4_096;

/// A CloudWatch Logs endpoint.
pub struct CloudWatch {
    service: AwsJson,
    /// By log group and writer: its log stream, and the hour that it is for.
    streams: Mutex<HashMap<(String, Writer), Stream>>,
}

#[derive(Clone)]
struct Stream {
    name: String,
    hour: i64,
}

/// A log group's ARN, taken apart.
struct Group<'a> {
    region: &'a str,
    name: &'a str,
}

impl<'a> Group<'a> {
    /// `None` when it is not the ARN of a log group.
    fn parse(arn: &'a str) -> Option<Group<'a>> {
        let arn = Arn::parse(arn).filter(|arn| arn.service == "logs")?;
        let name = arn.resource_after("log-group")?;
        let name = name.strip_suffix(":*").unwrap_or(name);
        (!name.is_empty()).then_some(Group { region: arn.region, name })
    }
}

impl CloudWatch {
    /// An endpoint by its URL, such as `http://127.0.0.1:4566`. For HTTPS `roots` is a file with the certificates to trust.
    pub fn new(
        url: &str,
        credentials: Credentials,
        roots: Option<&Path>,
    ) -> Result<CloudWatch, EndpointError> {
        let service = AwsJson::new(url, "logs", credentials, CALL_TIMEOUT, roots)?;
        Ok(CloudWatch { service, streams: Mutex::default() })
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        self.service.url()
    }

    /// Whether the log group is there. One that cannot be asked for counts as missing.
    pub(crate) async fn has_log_group(&self, log_group_arn: &str) -> bool {
        let Some(group) = Group::parse(log_group_arn) else { return false };
        let mut body = String::from("{\"logGroupNamePrefix\":");
        write_string(group.name, &mut body);
        body.push('}');
        match self.service.call(group.region, "Logs_20140328.DescribeLogGroups", body).await {
            Ok(answer) => groups_of(&answer).any(|name| name == group.name),
            Err(error) => {
                tracing::warn!(log_group = group.name, endpoint = self.url(), %error, "a log group cannot be looked up");
                false
            }
        }
    }

    /// Brings records of one log group there, in their order. Returns how many were not taken, and why.
    pub(crate) async fn deliver(
        &self,
        log_group_arn: &str,
        records: Vec<Record>,
    ) -> Result<(), (usize, String)> {
        let Some(group) = Group::parse(log_group_arn) else {
            return Err((records.len(), "not the ARN of a log group".to_owned()));
        };
        let mut lost = 0;
        let mut reason = String::new();
        for (writer, records) in by_writer(records) {
            for batch in batches(records) {
                if let Err(error) = self.put_with_retries(&group, &writer, &batch).await {
                    lost += batch.len();
                    reason = error.to_string();
                }
            }
        }
        if lost == 0 { Ok(()) } else { Err((lost, reason)) }
    }

    async fn put_with_retries(
        &self,
        group: &Group<'_>,
        writer: &Writer,
        batch: &[Record],
    ) -> Result<(), CallError> {
        let mut pause = PAUSE;
        let mut stream_is_new = false;
        for _ in 1..ATTEMPTS {
            match self.put(group, writer, batch).await {
                Err(error) if error.is_passing() => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                // The stream has been deleted: once more with a new one. If the group has, that will fail, too.
                Err(error) if error.is("ResourceNotFoundException") && !stream_is_new => stream_is_new = true,
                result => return result,
            }
        }
        self.put(group, writer, batch).await
    }

    async fn put(&self, group: &Group<'_>, writer: &Writer, batch: &[Record]) -> Result<(), CallError> {
        let first_ms = batch.first().map_or(0, |record| record.timestamp_ms);
        let stream = self.stream(group, writer, first_ms).await?;
        let mut body = names(group, &stream);
        body.reserve(batch.iter().map(|record| record.message.len() * 5 / 4 + 64).sum());
        body.push_str(",\"logEvents\":[");
        for (at, record) in batch.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(body, "{comma}{{\"timestamp\":{},\"message\":", record.timestamp_ms);
            write_string(&record.message, &mut body);
            body.push('}');
        }
        body.push_str("]}");
        let put = self.service.call(group.region, "Logs_20140328.PutLogEvents", body).await;
        if put.as_ref().is_err_and(|error| error.is("ResourceNotFoundException")) {
            self.lock().remove(&(group.name.to_owned(), writer.clone()));
        }
        put.map(|_| ())
    }

    /// The log stream of a writer; made when there is none, for a state machine also when there is none for the hour.
    async fn stream(&self, group: &Group<'_>, writer: &Writer, now_ms: i64) -> Result<String, CallError> {
        let key = (group.name.to_owned(), writer.clone());
        let hour = now_ms.div_euclid(STREAM_MS);
        if let Some(stream) = self.lock().get(&key).filter(|stream| stream.hour >= hour) {
            return Ok(stream.name.clone());
        }
        let stream = match writer {
            Writer::Machine(name) => Stream { name: stream_name(name, now_ms), hour },
            Writer::Function(log_stream) => Stream { name: log_stream.to_string(), hour: i64::MAX },
        };
        let mut created = self.create_stream(group, &stream.name).await;
        if matches!(writer, Writer::Function(_))
            && created.as_ref().is_err_and(|error| error.is("ResourceNotFoundException"))
        {
            self.create(group, "CreateLogGroup", names_group(group) + "}").await?;
            created = self.create_stream(group, &stream.name).await;
        }
        created?;
        let mut streams = self.lock();
        if streams.len() >= STREAMS_MAX {
            streams.clear();
        }
        streams.insert(key, stream.clone());
        Ok(stream.name)
    }

    async fn create_stream(&self, group: &Group<'_>, name: &str) -> Result<(), CallError> {
        self.create(group, "CreateLogStream", names(group, name) + "}").await
    }

    /// What is there already is as good.
    async fn create(&self, group: &Group<'_>, action: &str, body: String) -> Result<(), CallError> {
        match self.service.call(group.region, &format!("Logs_20140328.{action}"), body).await {
            Err(error) if !error.is("ResourceAlreadyExistsException") => Err(error),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, Writer), Stream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `states/MACHINE/2026-03-14-15/1b9d6bcd`: the machine, the hour, and something unique.
fn stream_name(machine: &str, now_ms: i64) -> String {
    let text = timestamp::to_text(now_ms);
    let hour = text.get(..13).unwrap_or_default().replace('T', "-");
    let unique = uuid::Uuid::new_v4().simple().to_string();
    format!("states/{machine}/{hour}/{}", unique.get(..8).unwrap_or_default())
}

/// The beginning of a request that names a group.
fn names_group(group: &Group<'_>) -> String {
    let mut body = String::from("{\"logGroupName\":");
    write_string(group.name, &mut body);
    body
}

/// The beginning of a request that names group and stream.
fn names(group: &Group<'_>, stream: &str) -> String {
    let mut body = names_group(group);
    body.push_str(",\"logStreamName\":");
    write_string(stream, &mut body);
    body
}

fn groups_of(answer: &Value) -> impl Iterator<Item = &str> {
    let groups: &[Value] = match answer.get("logGroups") {
        Some(Value::Array(groups)) => groups,
        _ => &[],
    };
    groups.iter().filter_map(|group| group.get("logGroupName")?.as_str())
}

/// Each writer has a stream of its own.
fn by_writer(records: Vec<Record>) -> Vec<(Writer, Vec<Record>)> {
    let mut writers: Vec<(Writer, Vec<Record>)> = Vec::new();
    let mut places: HashMap<Writer, usize> = HashMap::new();
    for record in records {
        let place = *places.entry(record.writer.clone()).or_insert_with(|| {
            writers.push((record.writer.clone(), Vec::new()));
            writers.len() - 1
        });
        if let Some((_, records)) = writers.get_mut(place) {
            records.push(record);
        }
    }
    writers
}

/// Records as `PutLogEvents` takes them: oldest first, within its limits.
fn batches(mut records: Vec<Record>) -> Vec<Vec<Record>> {
    // Stable: the records of one execution, whose times never go back, keep their order.
    records.sort_by_key(|record| record.timestamp_ms);
    let mut batches: Vec<Vec<Record>> = Vec::new();
    let (mut bytes, mut first_ms) = (0, 0);
    for record in records {
        let record_bytes = record.message.len() + EVENT_BYTES;
        let fits = batches.last().is_some_and(|batch| {
            batch.len() < BATCH_EVENTS_MAX
                && bytes + record_bytes <= BATCH_BYTES_MAX
                && record.timestamp_ms - first_ms < BATCH_SPAN_MS_MAX
        });
        if !fits {
            batches.push(Vec::new());
            (bytes, first_ms) = (0, record.timestamp_ms);
        }
        bytes += record_bytes;
        if let Some(batch) = batches.last_mut() {
            batch.push(record);
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(timestamp_ms: i64, bytes: usize) -> Record {
        Record { writer: Writer::Machine("m".into()), timestamp_ms, message: "a".repeat(bytes) }
    }

    #[test]
    fn names_of_groups_and_streams() {
        for (arn, expected) in [
            (
                "arn:aws:logs:eu-west-1:1:log-group:/aws/vendedlogs/states/a:*",
                Some("/aws/vendedlogs/states/a"),
            ),
            ("arn:aws:logs:eu-west-1:1:log-group:a", Some("a")),
            ("arn:aws:logs:eu-west-1:1:log-group:", None),
            ("arn:aws:sns:eu-west-1:1:log-group:a:*", None),
            ("nonsense", None),
        ] {
            assert_eq!(Group::parse(arn).map(|group| group.name), expected, "{arn}");
        }
        let name = stream_name("m", 1_773_500_963_000);
        assert_eq!(name.get(..23), Some("states/m/2026-03-14-15/"));
        assert_eq!(name.len(), 31);
    }

    #[test]
    fn batches_keep_the_limits() {
        let sizes = |records| batches(records).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![record(0, 10); 10_001]), [10_000, 1]);
        assert_eq!(sizes(vec![record(0, (1 << 19) - 26); 3]), [2, 1]);
        assert_eq!(sizes(vec![record(BATCH_SPAN_MS_MAX, 1), record(0, 1)]), [1, 1]);
        assert_eq!(sizes(vec![record(0, 2 << 20)]), [1]);
        assert!(batches(Vec::new()).is_empty());
    }
}
