// Two Kafka Streams applications as their users write them: a word count, and a count of keys that is exact (exactly_once_v2).
// Ended by SIGTERM they close in order; the driver also ends them by SIGKILL, and starts them again on the same state.
import java.util.Arrays;
import java.util.Locale;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;

public final class App {
    /** App bootstrap kind id input output stateFolder [name=value …] */
    public static void main(String[] args) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("application.id", args[2]);
        settings.put("state.dir", args[5]);
        settings.put("default.key.serde", Serdes.StringSerde.class.getName());
        settings.put("default.value.serde", Serdes.StringSerde.class.getName());
        settings.put("commit.interval.ms", "100");
        settings.put("auto.offset.reset", "earliest");
        settings.put("statestore.cache.max.bytes", "0"); // every step is seen in the output, so a repeated one would be too
        settings.put("reconnect.backoff.max.ms", "500");
        for (int i = 6; i < args.length; i++) {
            String[] words = args[i].split("=", 2);
            settings.put(words[0], words[1]);
        }
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> input = builder.stream(args[3]);
        KStream<String, String> counted = args[1].equals("words")
            ? input.flatMapValues(line -> Arrays.asList(line.toLowerCase(Locale.ROOT).split("\\W+")))
                .groupBy((key, word) -> word, Grouped.as("words")).count().toStream().mapValues(Object::toString)
            : input.groupByKey().count().toStream().mapValues(Object::toString);
        counted.to(args[4]);
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.setStateListener((now, before) -> System.out.println(now));
        streams.setUncaughtExceptionHandler(problem -> {
            problem.printStackTrace();
            return org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.REPLACE_THREAD;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
