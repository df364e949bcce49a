//! What several table operators do with changes.

use crate::codec::{Key, SharedCodec};
use crate::error::Result;
use crate::processor::{Context, StoreId};
use crate::record::{Change, Data, Record};
use crate::stamped::Stamped;
use crate::store::Difference;

/// How many rows are compared and forwarded at once.
const ROWS: usize = 1_024;

/// Forwards how the generation of a store that was built differs from the present one.
///
/// A row that is the same but for its time does not differ.
pub(super) fn differences<K: Key, A: Data>(store: StoreId, cx: &mut Context<'_>) -> Result<()> {
    let mut after: Option<K> = None;
    loop {
        let rows = cx.stores.key_value::<K, Stamped<A>>(store);
        let codec = rows.value_codec().clone();
        let found = rows.differences(after.as_ref(), ROWS)?;
        let Some(last) = found.last() else {
            return Ok(());
        };
        after = Some(last.key.clone());
        let mut records = Vec::with_capacity(found.len());
        for mut one in found {
            if !is_same_value(&mut one, &codec)? {
                records.extend(difference(one));
            }
        }
        cx.forward::<K, Change<A>>(records);
    }
}

/// True where both rows are there and have the same value; both get the later time.
fn is_same_value<K: Key, A: Data>(
    found: &mut Difference<K, Stamped<A>>,
    codec: &SharedCodec<Stamped<A>>,
) -> Result<bool> {
    let (Some(old), Some(new)) = (&mut found.old, &mut found.new) else {
        return Ok(false);
    };
    old.timestamp = old.timestamp.max(new.timestamp);
    new.timestamp = old.timestamp;
    let (mut was, mut is) = (Vec::new(), Vec::new());
    codec.encode(old, &mut was)?;
    codec.encode(new, &mut is)?;
    Ok(was == is)
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
