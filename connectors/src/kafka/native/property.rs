//! The names of the properties that the library knows.

use std::ffi::c_char;

use rdkafka::ClientConfig;
use rdkafka::bindings as sys;

use super::call;

/// The names of all properties of clients and topics, sorted.
pub(in crate::kafka) fn property_names() -> Vec<String> {
    let mut names = Vec::new();
    if let Ok(config) = ClientConfig::new().create_native_config() {
        let mut count = 0;
        // SAFETY: the configuration lives during the call; the list is ours and is freed once.
        unsafe {
            names.extend(dumped(
                sys::rd_kafka_conf_dump(config.ptr(), &mut count),
                count,
            ))
        };
    }
    // SAFETY: the configuration is made here, lives during the call and is destroyed once; the list is
    // ours and is freed once.
    unsafe {
        let (config, mut count) = (sys::rd_kafka_topic_conf_new(), 0);
        names.extend(dumped(
            sys::rd_kafka_topic_conf_dump(config, &mut count),
            count,
        ));
        sys::rd_kafka_topic_conf_destroy(config);
    }
    names.sort();
    names.dedup();
    names
}

/// The names of a list of names and values, which is freed.
///
/// # Safety
///
/// `list` was made by a dump, which said that it has `count` texts.
unsafe fn dumped(list: *mut *const c_char, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for at in (0..count).step_by(2) {
        // SAFETY: the list has that many texts, which all end with a zero byte.
        names.push(unsafe { call::text(*list.add(at)) });
    }
    // SAFETY: nobody uses the list after this.
    unsafe { sys::rd_kafka_conf_dump_free(list, count) };
    names
}
