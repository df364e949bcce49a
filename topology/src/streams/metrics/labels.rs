//! What tells counters of the same name apart.

use super::super::env::Env;
use crate::meter::Labels;

/// The labels of everything in an instance.
pub(in super::super) fn of_instance(env: &Env) -> Labels {
    Labels::new([
        ("application_id", &env.application),
        ("instance", &env.instance),
    ])
}

/// Those of a task in a thread that has these labels.
pub(super) fn of_task(thread: &Labels, task: u16) -> Labels {
    thread.with("task", task.to_string())
}
