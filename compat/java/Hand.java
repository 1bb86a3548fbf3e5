// What the console tools cannot do, done by the newest Java client: any bytes anywhere, chosen timestamps, and producing
// across a restart with each acknowledgement noted. One command per line in, one answer per line out; bytes are base64
// and "-" is null. The tests are on the other side; this only does as it is told.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Hand {
    private final String bootstrap;
    private KafkaProducer<byte[], byte[]> producer;
    private final List<Future<RecordMetadata>> onTheirWay = new ArrayList<>();
    private Flood flood;

    private Hand(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] args) throws Exception {
        Hand hand = new Hand(args[0]);
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            try {
                System.out.println("ok\t" + hand.obey(line.split("\t", -1)));
            } catch (ExecutionException failed) {
                System.out.println("error\t" + failed.getCause());
            } catch (Exception failed) {
                System.out.println("error\t" + failed);
            }
            System.out.flush();
        }
        System.exit(0); // a producer that waits for a broker that is gone would hold the process
    }

    private String obey(String[] words) throws Exception {
        switch (words[0]) {
            case "producer": return openProducer(words);
            case "send": return send(words);
            case "flush": return flush();
            case "read": return read(words[1], Long.parseLong(words[2]), Integer.parseInt(words[3]));
            case "offset-at": return offsetAt(words[1], Long.parseLong(words[2]));
            case "flood": return startFlood(words[1]);
            case "flood-count": return Integer.toString(flood.acknowledged.size());
            case "flood-stop": return flood.halt();
            default: throw new IllegalArgumentException(words[0]);
        }
    }

    /** producer name=value … : the producer for what follows. */
    private String openProducer(String[] words) {
        if (producer != null) producer.close();
        Map<String, Object> settings = settings();
        for (int i = 1; i < words.length; i++) settings.put(words[i].split("=")[0], words[i].split("=")[1]);
        producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        return "";
    }

    /** send topic timestamp key value (header value)… : not waited for before flush. */
    private String send(String[] words) {
        Long timestamp = words[2].equals("-") ? null : Long.valueOf(words[2]);
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(words[1], 0, timestamp, bytes(words[3]), bytes(words[4]));
        for (int i = 5; i < words.length; i += 2) {
            record.headers().add(new String(bytes(words[i]), StandardCharsets.UTF_8), bytes(words[i + 1]));
        }
        onTheirWay.add(producer.send(record));
        return "";
    }

    /** The offsets of all that was sent since the last flush. */
    private String flush() throws Exception {
        producer.flush();
        List<String> offsets = new ArrayList<>();
        try {
            for (Future<RecordMetadata> each : onTheirWay) offsets.add(Long.toString(each.get().offset()));
        } finally {
            onTheirWay.clear();
        }
        return String.join(" ", offsets);
    }

    /** offset timestamp key value (header value)…, records separated by '|'. */
    private String read(String topic, long from, int count) {
        TopicPartition partition = new TopicPartition(topic, 0);
        List<String> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, from);
            long giveUpAt = System.currentTimeMillis() + 30_000;
            while (records.size() < count && System.currentTimeMillis() < giveUpAt) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) records.add(shown(record));
            }
        }
        return String.join("|", records);
    }

    private static String shown(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder line = new StringBuilder();
        line.append(record.offset()).append(' ').append(record.timestamp());
        line.append(' ').append(text(record.key())).append(' ').append(text(record.value()));
        for (Header header : record.headers()) {
            line.append(' ').append(text(header.key().getBytes(StandardCharsets.UTF_8))).append(' ').append(text(header.value()));
        }
        return line.toString();
    }

    /** -1 and -2 are the end and the start; "none" where no record is as young as the timestamp. */
    private String offsetAt(String topic, long timestamp) {
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            if (timestamp == -1) return Long.toString(consumer.endOffsets(List.of(partition)).get(partition));
            if (timestamp == -2) return Long.toString(consumer.beginningOffsets(List.of(partition)).get(partition));
            var found = consumer.offsetsForTimes(Map.of(partition, timestamp)).get(partition);
            return found == null ? "none" : found.offset() + " " + found.timestamp();
        }
    }

    private String startFlood(String topic) {
        flood = new Flood(topic);
        flood.start();
        return "";
    }

    /** The numbers 0, 1, 2 … as fast as they are taken, with the client's defaults: idempotent, five batches on their way. */
    private final class Flood extends Thread {
        final List<Integer> acknowledged = Collections.synchronizedList(new ArrayList<>());
        private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
        private final String topic;
        private volatile boolean stopped;
        private volatile int sentCount;

        Flood(String topic) {
            this.topic = topic;
        }

        @Override public void run() {
            while (!stopped) {
                int number = sentCount++;
                byte[] value = Integer.toString(number).getBytes(StandardCharsets.UTF_8);
                producer.send(new ProducerRecord<>(topic, 0, null, value), (metadata, failure) -> {
                    if (failure == null) acknowledged.add(number);
                    else failures.add(number + ": " + failure);
                });
                if (number % 20 == 19) pause();
            }
        }

        private void pause() {
            try {
                Thread.sleep(2);
            } catch (InterruptedException stop) {
                stopped = true;
            }
        }

        /** How many were sent, how many acknowledged, and the first failure if there was one. */
        String halt() throws InterruptedException {
            stopped = true;
            join();
            producer.flush();
            return sentCount + " " + acknowledged.size() + " " + (failures.isEmpty() ? "none" : failures.get(0));
        }
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        return new KafkaConsumer<>(settings(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Map<String, Object> settings() {
        return new HashMap<>(Map.of("bootstrap.servers", bootstrap));
    }

    private static byte[] bytes(String text) {
        return text.equals("-") ? null : Base64.getDecoder().decode(text);
    }

    /** A trailing '.' tells an empty value from no word at all. */
    private static String text(byte[] bytes) {
        return bytes == null ? "-" : Base64.getEncoder().encodeToString(bytes) + ".";
    }
}
