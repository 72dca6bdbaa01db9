//! The fields that say where a distributed Map's items come from and where its results go: what is taken, what is refused.

use stepwright_asl::{CompileOptions, compile};

/// The findings on a distributed Map with these fields; empty when it is taken.
fn findings(language: &str, fields: &str) -> String {
    let definition = format!(
        r#"{{"QueryLanguage":"{language}","StartAt":"M","States":{{"M":{{"Type":"Map",{fields},"ItemProcessor":{{
            "ProcessorConfig":{{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"}},
            "StartAt":"A","States":{{"A":{{"Type":"Pass","End":true}}}}}},"End":true}}}}}}"#
    );
    compile(&definition, &CompileOptions::default()).aws_findings()
}

#[track_caller]
fn check(language: &str, taken: &[&str], refused: &[(&str, &str)]) {
    for fields in taken {
        assert_eq!(findings(language, fields), "", "{fields}");
    }
    for (fields, why) in refused {
        let found = findings(language, fields);
        assert!(found.contains(why), "{fields}\n{found}");
    }
}

#[test]
fn item_reader_in_json_path() {
    check(
        "JSONPath",
        &[
            r#""ItemReader":{"Comment":"objects","Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key.$":"$.key"},
                "ReaderConfig":{"Comment":"lines","InputType":"JSONL","MaxItems":10}}"#,
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"},
                "ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a","b"],"CSVDelimiter":"PIPE",
                "MaxItemsPath":"$.max"}}"#,
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"},
                "ReaderConfig":{"InputType":"JSON","ItemsPointer":"/a/b"}}"#,
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":"b","Prefix":"p"},
                "ReaderConfig":{"InputType":"JSON","Transformation":"LOAD_AND_FLATTEN"}}"#,
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"},
                "ReaderConfig":{"InputType":"MANIFEST","ManifestType":"S3_INVENTORY"}}"#,
        ],
        &[
            (r#""ItemReader":{"Parameters":{"Bucket":"b"}}"#, "/ItemReader"),
            (
                r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"},
                    "ReaderConfig":{"InputType":"XML"}}"#,
                "/ItemReader/ReaderConfig/InputType",
            ),
            (
                r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"},
                    "ReaderConfig":{"InputType":"JSON","MaxItems":1,"MaxItemsPath":"$.n"}}"#,
                "/ItemReader/ReaderConfig",
            ),
        ],
    );
}

#[test]
fn item_reader_in_jsonata() {
    check(
        "JSONata",
        &[
            r#""ItemReader":{"Comment":"objects","Resource":"arn:aws:states:::s3:getObject","Arguments":{"Bucket":"b","Key":"{% $states.input.key %}"},
                "ReaderConfig":{"Comment":"lines","InputType":"JSONL","MaxItems":"{% $states.input.max %}"}}"#,
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Arguments":{"Bucket":"b","Key":"k"},
                "ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["a","b"],"CSVDelimiter":"PIPE"}}"#,
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Arguments":{"Bucket":"b","Key":"k"},
                "ReaderConfig":{"InputType":"JSON","ItemsPointer":"/a/b"}}"#,
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Arguments":{"Bucket":"b","Prefix":"p"},
                "ReaderConfig":{"InputType":"JSON","Transformation":"LOAD_AND_FLATTEN"}}"#,
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Arguments":{"Bucket":"b","Key":"k"},
                "ReaderConfig":{"InputType":"MANIFEST","ManifestType":"S3_INVENTORY"}}"#,
        ],
        &[(
            r#""ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"}}"#,
            "/ItemReader",
        )],
    );
}

#[test]
fn result_writer_in_json_path() {
    check(
        "JSONPath",
        &[
            r#""ResultWriter":{"Comment":"to S3","Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket.$":"$.b","Prefix":"p"},
                "WriterConfig":{"Comment":"flat","Transformation":"FLATTEN","OutputType":"JSONL"}}"#,
            r#""ResultWriter":{"WriterConfig":{"Transformation":"COMPACT","OutputType":"JSON"}}"#,
        ],
        &[(
            r#""ResultWriter":{"WriterConfig":{"Transformation":"FLAT","OutputType":"JSON"}}"#,
            "/ResultWriter/WriterConfig/Transformation",
        )],
    );
}

#[test]
fn result_writer_in_jsonata() {
    check(
        "JSONata",
        &[
            r#""ResultWriter":{"Comment":"to S3","Resource":"arn:aws:states:::s3:putObject","Arguments":{"Bucket":"{% $states.input.b %}","Prefix":"p"},
                "WriterConfig":{"Comment":"flat","Transformation":"FLATTEN","OutputType":"JSONL"}}"#,
        ],
        &[(
            r#""ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{}}"#,
            "/ResultWriter",
        )],
    );
}
