package ferrisstreams.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * Runs one job until it has read, written and committed all records of a topic of one partition, and prints
 * how many nanoseconds of this process's CPU time one of the second half took.
 *
 * <p>The first half starts the compiler of the JVM and fills caches, and is not counted. What closing takes
 * is counted, since that is when the last records are written and committed. Records are counted as they
 * are read: marks of transactions have offsets too, so that offsets do not tell how many there were.
 */
public final class Main {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final String brokers;
    private final String id;
    private final long records;
    private final AtomicLong seen = new AtomicLong();
    private final CompletableFuture<Void> all = new CompletableFuture<>();
    private volatile long half;

    private Main(String brokers, String id, long records) {
        this.brokers = brokers;
        this.id = id;
        this.records = records;
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 8) {
            System.err.println("arguments: BROKERS APPLICATION-ID FROM TO pass|filter|count|restore"
                    + " at_least_once|exactly_once_v2 RECORDS STATE-DIR");
            System.exit(2);
        }
        var main = new Main(args[0], args[1], Long.parseLong(args[6]));
        if (args[4].equals("restore")) {
            System.out.println(main.restore(args[2], args[3], args[5], args[7]));
            return;
        }
        var job = Job.valueOf(args[4].toUpperCase(Locale.ROOT));
        long nanos = main.run(job, args[2], args[3], args[5], args[7]);
        main.checkCommitted(args[2]);
        System.out.println((double) nanos / (main.records - main.records / 2));
    }

    private long run(Job job, String from, String to, String guarantee, String stateDir) throws Exception {
        var topology = job.topology(from, to, this::count);
        try (var streams = new KafkaStreams(topology, config(guarantee, stateDir))) {
            streams.setUncaughtExceptionHandler(e -> {
                all.completeExceptionally(e);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.start();
            all.get(10, TimeUnit.MINUTES);
            if (!streams.close(Duration.ofMinutes(2))) {
                throw new IllegalStateException("the application did not end in two minutes");
            }
            return SYSTEM.getProcessCpuTime() - half;
        } catch (TimeoutException e) {
            throw new IllegalStateException(seen + " of " + records + " records were read in ten minutes", e);
        }
    }

    /** Nanoseconds of CPU time for each record of the changelog, from the first to the last. */
    private double restore(String from, String to, String guarantee, String stateDir) throws Exception {
        var restored = new CompletableFuture<Double>();
        var listener = new StateRestoreListener() {
            private long begun;

            @Override
            public void onRestoreStart(TopicPartition partition, String store, long first, long end) {
                begun = SYSTEM.getProcessCpuTime();
            }

            @Override
            public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

            @Override
            public void onRestoreEnd(TopicPartition partition, String store, long count) {
                restored.complete((double) (SYSTEM.getProcessCpuTime() - begun) / count);
            }
        };
        var topology = Job.COUNT.topology(from, to, () -> {});
        try (var streams = new KafkaStreams(topology, config(guarantee, stateDir))) {
            streams.setGlobalStateRestoreListener(listener);
            streams.start();
            return restored.get(10, TimeUnit.MINUTES);
        }
    }

    /** The defaults, apart from what makes it one thread on one broker. */
    private Properties config(String guarantee, String stateDir) {
        var config = new Properties();
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, id);
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
        config.put(StreamsConfig.STATE_DIR_CONFIG, stateDir);
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        return config;
    }

    private void count() {
        long n = seen.incrementAndGet();
        if (n == records / 2) {
            half = SYSTEM.getProcessCpuTime();
        }
        if (n == records) {
            all.complete(null);
        }
    }

    /** That nothing is left to read: at most the mark of the last transaction is behind what was committed. */
    private void checkCommitted(String topic) throws Exception {
        var partition = new TopicPartition(topic, 0);
        try (var admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            var stable = new ListConsumerGroupOffsetsOptions().requireStable(true);
            var offsets = admin.listConsumerGroupOffsets(id, stable);
            var committed = offsets.partitionsToOffsetAndMetadata().get().get(partition);
            long end = admin.listOffsets(Map.of(partition, OffsetSpec.latest()))
                    .partitionResult(partition)
                    .get()
                    .offset();
            if (seen.get() != records || committed == null || committed.offset() < end - 1) {
                throw new IllegalStateException(
                        seen + " records were read, and " + committed + " of " + end + " was committed");
            }
        }
    }
}
