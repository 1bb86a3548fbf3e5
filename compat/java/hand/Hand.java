// The Java client as a hand (compat/hand.ts): one line of JSON per command in, one per answer out. It only does as it
// is told; the scenarios are on the other side. Written against the oldest client that is played (2.8); what came
// later lies in since30, since39 and since41, and is left out where the client does not have it.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.protocol.Errors;

public final class Hand {
    /** What a verb does: answers, or throws. */
    public interface Verb {
        JsonNode does(JsonNode ask) throws Exception;
    }

    /** What a newer client adds: it puts its verbs over those of the base. */
    public interface Addition {
        void join(Hand hand);
    }

    /** The client has no such thing. */
    public static final class Cannot extends RuntimeException {
        public Cannot(String why) {
            super(why);
        }
    }

    public static final ObjectMapper json = new ObjectMapper();
    public final String bootstrap;
    /** Where the scenario wants one. */
    public final String clientId = System.getenv("COMPAT_CLIENT_ID");
    public final Map<String, Verb> verbs = new TreeMap<>();
    public final Map<String, String> cannot = new TreeMap<>();
    public final Administrator administrator;
    public final Consumers consumers;

    private Hand(String bootstrap) {
        this.bootstrap = bootstrap;
        String client = "the Java client " + version();
        cannot.put("joinShare", client + " has no share consumer");
        cannot.put("joinGroup.protocol=consumer", client + " knows only the classic group protocol");
        cannot.put("describeProducers", client + " has no DescribeProducers");
        cannot.put("describeTransaction", client + " has no DescribeTransactions");
        cannot.put("listTransactions", client + " has no ListTransactions");
        cannot.put("listGroups.types", client + " does not list groups by type");
        cannot.put("describeGroup.type=consumer", client + " does not know this type of group");
        cannot.put("describeGroup.type=share", client + " does not know this type of group");
        cannot.put("offsetAt.at=youngest", client + " does not ask for the youngest record");
        cannot.put("alterConfigs.resource=group", client + " has no configs of groups");
        cannot.put("replaceConfigs", "deprecated in the Java client, and gone in 4.0");
        this.administrator = new Administrator(this);
        this.consumers = new Consumers(this);
        new Producers(this);
        for (String name : new String[] {"Since30", "Since39", "Since41"}) {
            try {
                ((Addition) Class.forName(name).getDeclaredConstructor().newInstance()).join(this);
            } catch (ReflectiveOperationException absent) {
                break; // not compiled for a client as old as this
            }
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err); // whatever libraries print is no answer
        Hand hand = new Hand(args[0]);
        out.println(hand.hello());
        out.flush();
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            out.println(hand.obey(json.readTree(line)));
            out.flush();
        }
        Runtime.getRuntime().halt(0); // a client that waits for a broker that is gone would hold the process
    }

    /** What every client of this hand is given. */
    public Map<String, Object> settings() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("reconnect.backoff.max.ms", 500);
        if (clientId != null) settings.put("client.id", clientId);
        return settings;
    }

    private static String version() {
        Properties written = new Properties();
        try (InputStream in = Hand.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            written.load(in);
        } catch (IOException unreadable) {
            return "unknown";
        }
        return written.getProperty("version");
    }

    private JsonNode hello() {
        ObjectNode hello = json.createObjectNode();
        hello.put("client", "kafka-clients").put("version", version());
        hello.put("runtime", "Java " + System.getProperty("java.version"));
        if (clientId != null) hello.put("clientId", clientId);
        hello.set("cannot", json.valueToTree(cannot));
        return json.createObjectNode().set("hello", hello);
    }

    private JsonNode obey(JsonNode ask) {
        ObjectNode answer = json.createObjectNode();
        Verb verb = verbs.get(ask.get("verb").asText());
        if (verb == null) return answer.put("cannot", "the Java client has no " + ask.get("verb").asText());
        try {
            JsonNode given = verb.does(ask);
            return answer.set("ok", given == null ? json.createObjectNode() : given);
        } catch (Cannot lack) {
            return answer.put("cannot", lack.getMessage());
        } catch (Throwable problem) {
            return answer.put("error", name(problem)).put("message", String.valueOf(problem));
        }
    }

    /** The broker's word lies somewhere among the causes; where none does, the client itself refused. */
    private static String name(Throwable problem) {
        for (Throwable each = problem; each != null; each = each.getCause()) {
            if (!(each instanceof ApiException)) continue;
            Errors error = Errors.forException(each);
            if (error != Errors.UNKNOWN_SERVER_ERROR) return error.name();
        }
        return "CLIENT";
    }

    public static byte[] bytes(JsonNode text) {
        return text == null || text.isNull() ? null : Base64.getDecoder().decode(text.asText());
    }

    public static String text(byte[] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }

    public static ArrayNode written(Headers headers) {
        ArrayNode list = json.createArrayNode();
        for (Header header : headers) list.addArray().add(header.key()).add(text(header.value()));
        return list;
    }
}
