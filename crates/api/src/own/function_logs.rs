//! `/function-logs`: what functions that run here have printed, of running and recent invocations. In memory: it is gone when
//! the process ends.
//!
//! `GET /function-logs?executionArn=…&stateName=…&functionName=…&requestId=…&after=NUMBER&maxResults=…&waitSeconds=…` answers
//! `{"lines": […], "next": NUMBER}`: the lines after a number, 1,000 unless told otherwise. Who follows asks again with
//! `after=next`; with `waitSeconds` the answer comes when there is something, or after that time.

use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use stepwright_server::endpoint::{Reply, Request};
use stepwright_server::{Answering, Call, Place, Tenant};
use stepwright_tasks::functions::{LogFilter, LogLine, Logs};

const PAGE: usize = 1_000;
const PAGE_MAX: usize = 10_000;
const WAIT_S_MAX: u64 = 20;
/// Between two looks at what is new: a function that prints a lot is read in pieces, not line by line.
const PAUSE: Duration = Duration::from_millis(20);

/// The endpoint over what functions print.
pub struct FunctionLogsEndpoint(pub Arc<Logs>);

impl Tenant for FunctionLogsEndpoint {
    fn place(&self) -> Place {
        Place::Path("function-logs")
    }

    fn answer<'a>(&'a self, call: Call<'a>) -> Answering<'a> {
        Box::pin(async move { self.respond(&call.into()).await.into() })
    }
}

impl FunctionLogsEndpoint {
    async fn respond(&self, request: &Request) -> Reply {
        match (&request.method, request.path.get(1..).unwrap_or_default()) {
            (&Method::GET, []) => self.lines(request).await,
            (_, []) => Reply::wrong_method(request, "GET"),
            _ => Reply::not_found("There is /function-logs."),
        }
    }

    async fn lines(&self, request: &Request) -> Reply {
        let text = |name: &str| request.parameter(name).filter(|value| !value.is_empty());
        let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
        let filter = LogFilter {
            execution_arn: text("executionArn"),
            state_name: text("stateName"),
            function_name: text("functionName"),
            request_id: text("requestId"),
        };
        let limit = number("maxResults").and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let wait = Duration::from_secs(number("waitSeconds").unwrap_or_default().min(WAIT_S_MAX));
        let after = number("after").unwrap_or_default();
        let waiting = self.wait(after, &filter, limit);
        match tokio::time::timeout(wait, waiting).await {
            Ok(reply) => reply,
            Err(_) => {
                let (next, lines) = self.look(after, &filter, limit);
                answer(next, &lines)
            }
        }
    }

    /// Answers when there are lines.
    async fn wait(&self, mut after: u64, filter: &LogFilter, limit: usize) -> Reply {
        let mut news = self.0.news();
        loop {
            let (next, lines) = self.look(after, filter, limit);
            if !lines.is_empty() {
                return answer(next, &lines);
            }
            after = next;
            if news.wait_for(|last| *last > after).await.is_err() {
                return answer(after, &[]);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lines, and the number after which to look the next time. A number from before a restart means from the begin.
    fn look(&self, after: u64, filter: &LogFilter, limit: usize) -> (u64, Vec<LogLine>) {
        let last = *self.0.news().borrow();
        let after = if after > last { 0 } else { after };
        let lines = self.0.lines_after(after, filter, limit);
        (lines.last().map_or(last, |line| line.number), lines)
    }
}

fn answer(next: u64, lines: &[LogLine]) -> Reply {
    let lines: Vec<Value> = lines.iter().map(shown).collect();
    Reply::ok(json!({ "lines": lines, "next": next }))
}

fn shown(line: &LogLine) -> Value {
    let origin = &line.origin;
    let caller = origin.caller.as_ref();
    json!({
        "number": line.number,
        "timestamp": line.time_ms,
        "functionName": origin.function_name,
        "requestId": origin.request_id,
        "logStreamName": origin.log_stream,
        "executionArn": caller.map(|caller| caller.execution_arn.as_str()),
        "stateName": caller.map(|caller| caller.state_name.as_str()),
        "isPlatform": line.is_platform,
        "message": &*line.text,
    })
}

#[cfg(test)]
mod tests {
    use stepwright_server::Caller;
    use stepwright_tasks::functions::{self, Origin};

    use super::*;

    fn begin(logs: &Logs, state_name: &str) -> u64 {
        logs.begin(Origin {
            request_id: "id".into(),
            function_name: "f".into(),
            log_stream: "s".into(),
            caller: Some(functions::Caller { execution_arn: "arn:e".into(), state_name: state_name.into() }),
            region: "r".into(),
            account_id: "a".into(),
        })
    }

    async fn ask(logs: &Arc<Logs>, query: &str) -> (Vec<String>, u64) {
        let request = Request {
            caller: Caller::Anyone,
            method: Method::GET,
            path: vec!["function-logs".to_owned()],
            query: Some(query.to_owned()),
            body: bytes::Bytes::new(),
        };
        let reply = FunctionLogsEndpoint(logs.clone()).respond(&request).await;
        let lines = reply.body["lines"].as_array().cloned().unwrap_or_default();
        let texts = lines.iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned());
        (texts.collect(), reply.body["next"].as_u64().unwrap_or_default())
    }

    #[tokio::test]
    async fn in_pages_and_as_they_come() {
        let logs = Arc::new(Logs::default());
        let (a, b) = (begin(&logs, "A"), begin(&logs, "B"));
        logs.write(a, false, ["1".to_owned(), "2".to_owned()]);
        logs.write(b, false, ["3".to_owned()]);
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(ask(&logs, "").await, (texts(&["1", "2", "3"]), 3));
        assert_eq!(ask(&logs, "maxResults=1").await, (texts(&["1"]), 1));
        assert_eq!(ask(&logs, "stateName=B&after=1").await, (texts(&["3"]), 3));
        assert_eq!(
            ask(&logs, "stateName=A&after=2").await,
            (texts(&[]), 3),
            "what is not wanted is not looked at again"
        );
        assert_eq!(ask(&logs, "executionArn=other").await, (texts(&[]), 3));
        assert_eq!(ask(&logs, "after=77").await.1, 3, "a number from before a restart");
        let waits = ask(&logs, "stateName=B&after=3&waitSeconds=20");
        let writes = async {
            logs.write(a, false, ["4".to_owned()]);
            logs.write(b, false, ["5".to_owned()]);
        };
        let (found, ()) = tokio::join!(waits, writes);
        assert_eq!(found, (texts(&["5"]), 5));
    }
}
