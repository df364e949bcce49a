//! Topics that sources and sinks stand for, as an application on their cluster finds them.

use std::collections::BTreeSet;

/// A topic that a source or a sink stands for: an application on its cluster reads and writes it itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlace {
    /// The name of the topic.
    pub topic: String,
    /// Where brokers of its cluster are, with commas between several.
    pub brokers: String,
    /// True where records without a time are left out.
    pub skips_untimed: bool,
}

impl TopicPlace {
    /// True where these are the same brokers, in whichever order.
    pub fn is_on(&self, brokers: &str) -> bool {
        let set = |text: &str| -> BTreeSet<String> {
            let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
            names.filter(|name| !name.is_empty()).collect()
        };
        set(&self.brokers) == set(brokers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_the_same_in_any_order() {
        let place = TopicPlace {
            topic: "orders".to_owned(),
            brokers: "a:1, B:2".to_owned(),
            skips_untimed: false,
        };
        assert!(place.is_on("b:2,a:1"));
        assert!(!place.is_on("a:1"));
        assert!(!place.is_on("a:1,b:2,c:3"));
    }
}
