//! What several table operators do with changes.

use crate::codec::Key;
use crate::error::Result;
use crate::processor::{Context, StoreId};
use crate::record::{Change, Data, Record};
use crate::stamped::Stamped;
use crate::store::Difference;

/// How many rows are compared and forwarded at once.
const ROWS: usize = 1_024;

/// Forwards how the generation of a store that was built differs from the present one.
pub(super) fn differences<K: Key, A: Data>(store: StoreId, cx: &mut Context<'_>) -> Result<()> {
    let mut after: Option<K> = None;
    loop {
        let found = cx
            .stores
            .key_value::<K, Stamped<A>>(store)
            .differences(after.as_ref(), ROWS)?;
        let Some(last) = found.last() else {
            return Ok(());
        };
        after = Some(last.key.clone());
        let records = found.into_iter().filter_map(difference).collect();
        cx.forward::<K, Change<A>>(records);
    }
}

fn difference<K: Key, A: Data>(found: Difference<K, Stamped<A>>) -> Option<Record<K, Change<A>>> {
    let time = |row: &Option<Stamped<A>>| row.as_ref().map_or(0, |row| row.timestamp);
    let timestamp = time(&found.old).max(time(&found.new));
    let change = Change {
        old: found.old.map(|row| row.value),
        new: found.new.map(|row| row.value),
    };
    Some(Record::new(found.key, change, timestamp))
}
