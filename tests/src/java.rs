//! Kafka's own tools, which run on Java's clients.

use std::process::Command;

use crate::kafka::Kafka;
use crate::process::Process;
use crate::service;

impl Kafka {
    /// Starts one of Kafka's tools, such as `TopicCommand`, with the address of this cluster and `arguments`. Names
    /// are those within `org.apache.kafka.tools`, or begin with `kafka.`. One takes a second or two to start.
    ///
    /// ```no_run
    /// use ferrisstreams_tests::Kafka;
    /// use std::time::Duration;
    ///
    /// let Some(kafka) = Kafka::shared() else { return };
    /// let topics = kafka.tool("TopicCommand", &["--list"]);
    /// println!("{}", topics.wait(Duration::from_secs(60)).assert_success().stdout);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn tool(&self, class: &str, arguments: &[&str]) -> Process {
        let class = match class.starts_with("kafka.") {
            true => class.to_owned(),
            false => format!("org.apache.kafka.tools.{class}"),
        };
        let mut command = Command::new(service::script("kafka.sh"));
        command
            .arg("tool")
            .arg(class)
            .args(["--bootstrap-server", self.bootstrap()])
            .args(arguments);
        Process::start(&mut command)
    }
}
