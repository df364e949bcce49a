//! A recorder of what is counted, which can be asked again and again.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{LazyLock, Once};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_util::registry::{AtomicStorage, Registry};

/// What the names of applications, or of the steps and stores of embedded topologies, begin with of which anything
/// is recorded. Others run in the same process.
const RECORDED: &str = "metered";

static REGISTRY: LazyLock<Registry<Key, AtomicStorage>> = LazyLock::new(Registry::atomic);

struct ToRegistry;

fn is_recorded(key: &Key) -> bool {
    let names = ["application_id", "node", "store"];
    key.labels()
        .any(|label| names.contains(&label.key()) && label.value().starts_with(RECORDED))
}

impl Recorder for ToRegistry {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if !is_recorded(key) {
            return Counter::noop();
        }
        REGISTRY.get_or_create_counter(key, |counter| Counter::from_arc(counter.clone()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        if !is_recorded(key) {
            return Gauge::noop();
        }
        REGISTRY.get_or_create_gauge(key, |gauge| Gauge::from_arc(gauge.clone()))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        if !is_recorded(key) {
            return Histogram::noop();
        }
        REGISTRY.get_or_create_histogram(key, |times| Histogram::from_arc(times.clone()))
    }
}

/// Has what is counted be recorded from now on.
pub(crate) fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| metrics::set_global_recorder(ToRegistry).expect("there is no other"));
}

/// What was recorded so far, by instance or state, name and other labels: `kafka_streams_name thread=0 task=1`. Of times it
/// is how many there are.
fn recorded() -> Vec<(String, String, f64)> {
    let counters = REGISTRY.get_counter_handles().into_iter();
    let counters = counters.map(|(key, count)| (key, count.load(Ordering::Acquire) as f64));
    let gauges = REGISTRY.get_gauge_handles().into_iter();
    let gauges = gauges.map(|(key, bits)| (key, f64::from_bits(bits.load(Ordering::Acquire))));
    let times = REGISTRY.get_histogram_handles().into_iter();
    let times = times.map(|(key, times)| (key, times.data().len() as f64));
    let all = counters.chain(gauges).chain(times);
    all.map(|(key, value)| {
        let mut name = key.name().to_owned();
        let mut instance = String::new();
        for label in key.labels() {
            match label.key() {
                "application_id" => {}
                "instance" | "state" => label.value().clone_into(&mut instance),
                other => name.push_str(&format!(" {other}={}", label.value())),
            }
        }
        (instance, name, value)
    })
    .collect()
}

/// What an instance has counted so far.
pub(crate) struct Counted(BTreeMap<String, f64>);

impl Counted {
    /// By an instance of an application, or an embedded topology of a state.
    pub(crate) fn by(instance: &str) -> Counted {
        let all = recorded().into_iter();
        let own = all.filter(|(of, ..)| *of == instance);
        Counted(own.map(|(_, name, value)| (name, value)).collect())
    }

    /// The value of a name with labels, which is there.
    pub(crate) fn of(&self, name: &str) -> f64 {
        let found = self.find(name);
        found.unwrap_or_else(|| panic!("no {name} in {:#?}", self.0.keys()))
    }

    /// The value of a name with labels.
    pub(crate) fn find(&self, name: &str) -> Option<f64> {
        self.0.get(&format!("kafka_streams_{name}")).copied()
    }

    /// The values of a name, with whatever labels.
    pub(crate) fn all_of(&self, name: &str) -> Vec<f64> {
        let begins = format!("kafka_streams_{name} ");
        let all = self.0.iter();
        let all = all.filter(|(of, _)| of.starts_with(&begins));
        all.map(|(_, value)| *value).collect()
    }

    pub(crate) fn sum_of(&self, name: &str) -> f64 {
        self.all_of(name).iter().sum()
    }

    /// All names, without labels.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        let names = self.0.keys().map(|name| name.split(' ').next());
        names.map(|name| name.unwrap_or_default().to_owned())
    }

    /// The names and labels that have another value than 0, of those that begin with one of these.
    pub(crate) fn not_zero(&self, names: &[&str]) -> Vec<String> {
        let all = self.0.iter().filter(|(_, value)| **value != 0.0);
        let begins = |of: &str| {
            let of = of.strip_prefix("kafka_streams_");
            of.is_some_and(|of| names.iter().any(|name| of.starts_with(name)))
        };
        all.filter(|(of, _)| begins(of))
            .map(|(of, _)| of.clone())
            .collect()
    }
}
