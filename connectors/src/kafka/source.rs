//! A topic as a source.

use std::sync::Arc;

use ferrisstreams_topology::connector::{
    Source, SourceDescription, SourceReader, SourceStart, TopicPlace,
};
use ferrisstreams_topology::{Error, ErrorKind, Result};

use super::late::LateReader;
use super::reader::Reader;
use super::reading::{Beginning, OnLost, Reading, Untimed};

/// Reads a topic from all its partitions; the engine keeps how far it has come.
pub(super) struct KafkaSource {
    reading: Arc<Reading>,
    /// As the user wrote it, without secrets.
    location: String,
    /// A property of the clients that those of the default cluster do not have so.
    own_property: Option<String>,
}

impl KafkaSource {
    pub(super) fn new(reading: Reading, location: String) -> Self {
        KafkaSource {
            reading: Arc::new(reading),
            location,
            own_property: None,
        }
    }

    /// Notes a property of the clients that those of the default cluster do not have so.
    pub(super) fn own_property(self, own_property: Option<String>) -> Self {
        KafkaSource {
            own_property,
            ..self
        }
    }

    /// An option that no application on a cluster follows, with what there is instead.
    fn unfit_option(&self) -> Option<&'static str> {
        let Reading {
            from,
            on_lost,
            untimed,
            ..
        } = &*self.reading;
        if *from != Beginning::Earliest {
            return Some("from: it begins with the earliest record, unless its group has offsets");
        }
        if *on_lost == OnLost::Skip {
            return Some(
                "on_lost = 'skip': it fails where records were deleted before they were read",
            );
        }
        if *untimed == Untimed::Fail {
            return Some("on_untimed = 'fail': records without a time are left out, or kept");
        }
        None
    }
}

impl Source for KafkaSource {
    fn describe(&self) -> SourceDescription {
        let Reading {
            cluster,
            topic,
            from,
            on_lost,
            untimed,
            ..
        } = &*self.reading;
        // Secrets among the properties are not shown in their debug form.
        let properties = &cluster.properties;
        SourceDescription {
            connector: "kafka".to_owned(),
            location: self.location.clone(),
            identity: format!("kafka {topic} {from:?} {on_lost:?} {untimed:?} {properties:?}"),
            rereadable: false,
        }
    }

    fn open(&self, start: SourceStart) -> Result<Box<dyn SourceReader>> {
        if start.positions.is_empty() {
            return Ok(Box::new(Reader::open(self.reading.clone(), start)?));
        }
        LateReader::open(&self.reading, start)
    }

    fn topic(&self) -> Result<Option<TopicPlace>> {
        if let Some(option) = self.unfit_option() {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!(
                    "{} has an option that an application on a cluster does not know: {option}",
                    self.location
                ),
            ));
        }
        let Reading { cluster, topic, .. } = &*self.reading;
        let place = cluster.place_of(topic, self.own_property.as_deref())?;
        Ok(Some(TopicPlace {
            skips_untimed: self.reading.untimed == Untimed::Skip,
            ..place
        }))
    }
}
