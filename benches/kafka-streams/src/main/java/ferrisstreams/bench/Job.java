package ferrisstreams.bench;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/** The jobs that are measured; each reads orders and writes to a topic. */
enum Job {
    /** Every order is read and written. */
    PASS {
        @Override
        void build(KStream<String, Order> orders, String to) {
            orders.to(to, Produced.with(KEYS, ORDERS));
        }
    },
    /** Half of the orders are written. */
    FILTER {
        @Override
        void build(KStream<String, Order> orders, String to) {
            orders.filter((key, order) -> order.price > 250.0).to(to, Produced.with(KEYS, ORDERS));
        }
    },
    /** The orders of each key are counted and summed up. */
    COUNT {
        @Override
        void build(KStream<String, Order> orders, String to) {
            var sums = Materialized.<String, Sum, KeyValueStore<Bytes, byte[]>>as("sums");
            orders.groupByKey(Grouped.with(KEYS, ORDERS))
                    .aggregate(
                            Sum::new,
                            (key, order, sum) -> sum.add(order),
                            sums.withKeySerde(KEYS).withValueSerde(SUMS))
                    .toStream()
                    .to(to, Produced.with(KEYS, SUMS));
        }
    };

    private static final Serde<String> KEYS = Serdes.String();
    private static final Serde<Order> ORDERS = Json.of(Order.class);
    private static final Serde<Sum> SUMS = Json.of(Sum.class);

    abstract void build(KStream<String, Order> orders, String to);

    /** The whole topology, in which {@code seen} is called for each order that is read. */
    Topology topology(String from, String to, Runnable seen) {
        var builder = new StreamsBuilder();
        build(builder.stream(from, Consumed.with(KEYS, ORDERS)).peek((key, order) -> seen.run()), to);
        return builder.build();
    }
}
