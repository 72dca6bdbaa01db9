//! Measures how long a definition of one megabyte takes: `cargo run --release -p stepwright-asl --example compile_large`.

use std::fmt::Write;
use std::time::Instant;

use stepwright_asl::{CompileOptions, compile};

const BYTES: usize = 1_040_000;

fn main() {
    let mut states = String::new();
    let mut count = 0;
    while states.len() < BYTES {
        let _ = write!(
            states,
            r#""Charge{count}":{{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{{"FunctionName":"charge","Payload":{{"order.$":"$.orders[{count}].id","text.$":"States.Format('{{}}-{{}}', $.a, $.b)"}}}},"ResultSelector":{{"status.$":"$.StatusCode"}},"ResultPath":"$.charges","Retry":[{{"ErrorEquals":["States.ALL"],"MaxAttempts":2}}],"Next":"Check{count}"}},
               "Check{count}":{{"Type":"Choice","Choices":[{{"And":[{{"Variable":"$.charges.status","NumericEquals":200}},{{"Variable":"$.a","IsPresent":true}}],"Next":"Charge{}"}}],"Default":"End"}},"#,
            count + 1
        );
        count += 1;
    }
    let text = format!(
        r#"{{"StartAt":"Charge0","States":{{{states}"Charge{count}":{{"Type":"Pass","Next":"End"}},"End":{{"Type":"Succeed"}}}}}}"#
    );
    for _ in 0..5 {
        let start = Instant::now();
        let compilation = compile(&text, &CompileOptions::default());
        let took = start.elapsed();
        let states = compilation.program.as_ref().map_or(0, |program| program.states.len());
        let errors = compilation.diagnostics.len();
        println!("{} bytes, {states} states, {errors} findings: {took:?}", text.len());
    }
}
