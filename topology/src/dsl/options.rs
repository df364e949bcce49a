//! What steps are told beside their functions: forms, names, where records come from and go to.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Key, Plain, SharedCodec, bincode, json, plain};
use crate::connector::{RecordDecoder, Sink, Source};
use crate::operators::source::{CodecDecoder, Extract};
use crate::policy::ErrorPolicy;
use crate::record::Data;
use crate::time::Timestamp;

/// Makes a decoder for a task.
type MakeRecordDecoder<K, V> = Arc<dyn Fn() -> Box<dyn RecordDecoder<K, V>> + Send + Sync>;

/// How the records of a source are read.
pub struct Consumed<K: Data, V: Data> {
    pub(super) key: Option<SharedCodec<K>>,
    pub(super) value: Option<SharedCodec<V>>,
    pub(super) extract: Option<Extract<K, V>>,
    pub(super) decoder: Option<MakeRecordDecoder<K, V>>,
    pub(super) source: Option<Arc<dyn Source>>,
    pub(super) policy: ErrorPolicy,
    pub(super) load_first: bool,
}

impl<K: Data, V: Data> Consumed<K, V> {
    /// Keys and values are read with these codecs.
    pub fn with(key: SharedCodec<K>, value: SharedCodec<V>) -> Self {
        Consumed {
            key: Some(key),
            value: Some(value),
            extract: None,
            decoder: None,
            source: None,
            policy: ErrorPolicy::default(),
            load_first: false,
        }
    }

    /// Keys have their obvious form, and values are JSON.
    pub fn json() -> Self
    where
        K: Plain,
        V: Serialize + DeserializeOwned,
    {
        Consumed::with(plain(), json())
    }

    /// Keys have their obvious form, and values are bincode.
    pub fn bincode() -> Self
    where
        K: Plain,
        V: Serialize + DeserializeOwned,
    {
        Consumed::with(plain(), bincode())
    }

    /// Keys and values have their obvious forms.
    pub fn plain() -> Self
    where
        K: Plain,
        V: Plain,
    {
        Consumed::with(plain(), plain())
    }

    /// Whole batches are read with the decoders that `make` makes, one a task.
    pub fn decoder(
        make: impl Fn() -> Box<dyn RecordDecoder<K, V>> + Send + Sync + 'static,
    ) -> Self {
        Consumed {
            key: None,
            value: None,
            extract: None,
            decoder: Some(Arc::new(make)),
            source: None,
            policy: ErrorPolicy::default(),
            load_first: false,
        }
    }

    /// Where records come from. Without it they are fed by whoever runs the topology.
    pub fn from(self, source: Arc<dyn Source>) -> Self {
        Consumed {
            source: Some(source),
            ..self
        }
    }

    /// Takes the time of a record from what it says. The last argument of `extract` is the time that
    /// the record came with; a negative result makes it a bad record. Has no effect with
    /// [`decoder`](Consumed::decoder).
    pub fn timestamp(
        self,
        extract: impl Fn(&K, &V, Timestamp) -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Consumed {
            extract: Some(Arc::new(extract)),
            ..self
        }
    }

    /// What happens to records that cannot be read.
    pub fn on_error(self, policy: ErrorPolicy) -> Self {
        Consumed { policy, ..self }
    }

    /// Has streams that meet this source wait until its first content is loaded.
    pub fn load_first(self) -> Self {
        Consumed {
            load_first: true,
            ..self
        }
    }

    /// The codecs of keys and values, where batches have no decoder of their own.
    pub(crate) fn codecs(&self) -> Option<(SharedCodec<K>, SharedCodec<V>)> {
        self.key.clone().zip(self.value.clone())
    }

    pub(super) fn make_decoder(&self) -> MakeRecordDecoder<K, V> {
        if let Some(make) = &self.decoder {
            return make.clone();
        }
        let (key, value) = self
            .key
            .clone()
            .zip(self.value.clone())
            .expect("without a decoder there are codecs");
        let extract = self.extract.clone();
        Arc::new(move || {
            Box::new(CodecDecoder {
                key: key.clone(),
                value: value.clone(),
                extract: extract.clone(),
            })
        })
    }
}

/// How records are written to a sink.
pub struct Produced<K: Data, V: Data> {
    pub(super) key: SharedCodec<K>,
    pub(super) value: SharedCodec<V>,
    pub(super) sink: Option<Arc<dyn Sink>>,
}

impl<K: Data, V: Data> Produced<K, V> {
    /// Keys and values are written with these codecs.
    pub fn with(key: SharedCodec<K>, value: SharedCodec<V>) -> Self {
        Produced {
            key,
            value,
            sink: None,
        }
    }

    /// Keys have their obvious form, and values are JSON.
    pub fn json() -> Self
    where
        K: Plain,
        V: JsonPayload,
    {
        Produced::with(plain(), V::json_payload())
    }

    /// Keys and values have their obvious forms.
    pub fn plain() -> Self
    where
        K: Plain,
        V: Plain,
    {
        Produced::with(plain(), plain())
    }

    /// Where records go. Without it they are taken by whoever runs the topology.
    pub fn into(self, sink: Arc<dyn Sink>) -> Self {
        Produced {
            sink: Some(sink),
            ..self
        }
    }
}

/// A type that can be the value of a topic in JSON.
///
/// It is implemented for every type that serde can write and read. An optional value is absent where
/// it is none: the record deletes its key.
pub trait JsonPayload: Data {
    /// The codec.
    fn json_payload() -> SharedCodec<Self>;
}

impl<T: Data + Serialize + DeserializeOwned> JsonPayload for T {
    fn json_payload() -> SharedCodec<Self> {
        Arc::new(crate::codec::JsonOrNull::new())
    }
}

/// A name for a step that moves records to the tasks of their new keys.
pub struct Grouped<K: Data> {
    pub(super) name: String,
    pub(super) codec: Option<SharedCodec<K>>,
}

impl<K: Data> Grouped<K> {
    /// A step of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Grouped {
            name: name.into(),
            codec: None,
        }
    }

    /// Has the new keys be kept and told apart by this codec.
    pub fn codec(self, codec: SharedCodec<K>) -> Self {
        Grouped {
            codec: Some(codec),
            ..self
        }
    }
}

/// The name and the form of a store.
pub struct Materialized<K: Data, V: Data> {
    pub(super) name: String,
    pub(super) key: SharedCodec<K>,
    pub(super) value: SharedCodec<V>,
}

impl<K: Data, V: Data> Materialized<K, V> {
    /// A store of this name, which can be read under it. Keys have the form of their type, and values
    /// are bincode.
    pub fn named(name: impl Into<String>) -> Self
    where
        K: Key,
        V: Serialize + DeserializeOwned,
    {
        Materialized::with(name, K::codec(), bincode())
    }

    /// A store of this name with these codecs.
    pub fn with(name: impl Into<String>, key: SharedCodec<K>, value: SharedCodec<V>) -> Self {
        Materialized {
            name: name.into(),
            key,
            value,
        }
    }

    /// Has keys be kept with this codec.
    pub fn key_codec(self, key: SharedCodec<K>) -> Self {
        Materialized { key, ..self }
    }

    /// Has values be kept with this codec.
    pub fn value_codec(self, value: SharedCodec<V>) -> Self {
        Materialized { value, ..self }
    }
}

/// The name of a join.
#[derive(Debug, Clone)]
pub struct Joined {
    pub(super) name: String,
}

impl Joined {
    /// A join of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Joined { name: name.into() }
    }
}
