//! The jobs, and what an order costs an application that does them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use ferrisstreams::connect::kafka::KafkaCluster;
use ferrisstreams::prelude::*;
use rustix::time::{ClockId, clock_gettime};

use crate::orders::Order;

const LIMIT: Duration = Duration::from_secs(300);

#[derive(Serialize, Deserialize, Clone, Debug, Default)]
struct Sum {
    n: i64,
    sum: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Every order is read and written.
    Pass,
    /// Half of the orders are written.
    Filter,
    /// The orders of each key are counted and summed up.
    Count,
}

impl Job {
    fn build(self, orders: &KStream<String, Order>, to: &str) {
        match self {
            Job::Pass => orders.to(to, Produced::json()),
            Job::Filter => {
                let dear = orders.filter(|_, order| order.price > 250.0);
                dear.to(to, Produced::json());
            }
            Job::Count => {
                let add = |_: &String, order: &Order, sum: Sum| Sum {
                    n: sum.n + 1,
                    sum: sum.sum + order.price * f64::from(order.quantity),
                };
                let sums = Materialized::named("sums");
                let sums = orders.group_by_key().aggregate(Sum::default, add, sums);
                sums.to_stream().to(to, Produced::json());
            }
        }
    }
}

fn cpu_nanos() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// An application that keeps its state in a directory, with the defaults of its configuration.
fn application(
    cluster: &KafkaCluster,
    builder: StreamsBuilder,
    guarantee: ProcessingGuarantee,
    id: &str,
    state: &Path,
) -> Application {
    let topology = builder.build().expect("a topology");
    let config = StreamsConfig::new(id)
        .processing_guarantee(guarantee)
        .state_dir(state);
    Application::new(&topology, Arc::new(cluster.clone()), config).expect("an application")
}

/// Starts the application of a job that has run, without its state, until that is read again from the changelog,
/// and tells what a record of it cost, in nanoseconds of this process's CPU time.
pub fn restore(
    cluster: &KafkaCluster,
    (job, guarantee): (Job, ProcessingGuarantee),
    id: &str,
    (from, to): (&str, &str),
) -> f64 {
    let builder = StreamsBuilder::new();
    job.build(&builder.stream::<String, Order>(from, Consumed::json()), to);
    let state = tempfile::tempdir().expect("a directory");
    let mut app = application(cluster, builder, guarantee, id, state.path());
    let (tell, told) = channel();
    app.on_restore(move |progress| {
        if progress.is_done() && progress.total > 0 {
            let _ = tell.send(progress.total);
        }
    });
    let begun = cpu_nanos();
    app.start().expect("it starts");
    let restored = told.recv_timeout(LIMIT).expect("all is restored");
    let nanos = cpu_nanos() - begun;
    app.close().expect("it ends");
    nanos / restored as f64
}

/// Runs an application until it has read, written and committed so many orders, and tells what one of the
/// second half cost, in nanoseconds of this process's CPU time.
pub fn run(
    cluster: &KafkaCluster,
    (job, guarantee): (Job, ProcessingGuarantee),
    id: &str,
    (from, to): (&str, &str),
    records: u64,
) -> f64 {
    let (seen, (tell, told)) = (Arc::new(AtomicU64::new(0)), channel());
    let builder = StreamsBuilder::new();
    let orders = builder.stream::<String, Order>(from, Consumed::json());
    let orders = orders.peek(move |_, _| {
        let n = seen.fetch_add(1, Ordering::Relaxed) + 1;
        if n == records / 2 || n == records {
            let _ = tell.send(cpu_nanos());
        }
    });
    job.build(&orders, to);
    let state = tempfile::tempdir().expect("a directory");
    let mut app = application(cluster, builder, guarantee, id, state.path());
    app.start().expect("it starts");
    let half = told.recv_timeout(LIMIT).expect("half is seen");
    told.recv_timeout(LIMIT).expect("all is seen");
    app.close()
        .expect("it ends, and the last records are committed");
    (cpu_nanos() - half) / (records - records / 2) as f64
}
