//! The error names that AWS reserves (Amazon States Language, "Appendix A: Predefined Error Codes", and the Step
//! Functions Developer Guide, "Error handling").

/// Declares the names and [`RESERVED`], the list of them.
macro_rules! reserved {
    ($($constant:ident = $name:literal;)*) => {
        $(pub const $constant: &str = $name;)*

        /// All of them.
        pub const RESERVED: &[&str] = &[$($name),*];
    };
}

reserved! {
    ALL = "States.ALL";
    TASK_FAILED = "States.TaskFailed";
    TIMEOUT = "States.Timeout";
    HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout";
    PERMISSIONS = "States.Permissions";
    RESULT_PATH_MATCH_FAILURE = "States.ResultPathMatchFailure";
    PARAMETER_PATH_FAILURE = "States.ParameterPathFailure";
    BRANCH_FAILED = "States.BranchFailed";
    NO_CHOICE_MATCHED = "States.NoChoiceMatched";
    INTRINSIC_FAILURE = "States.IntrinsicFailure";
    EXCEED_TOLERATED_FAILURE_THRESHOLD = "States.ExceedToleratedFailureThreshold";
    ITEM_READER_FAILED = "States.ItemReaderFailed";
    RESULT_WRITER_FAILED = "States.ResultWriterFailed";
    DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded";
    RUNTIME = "States.Runtime";
    QUERY_EVALUATION_ERROR = "States.QueryEvaluationError";
}
