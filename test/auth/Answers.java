// What the StandardAuthorizer of Kafka answers: reads lines of questions, prints each with its answer before it (1: allowed). Run with
// the jars of a Kafka: zcat standard-authorizer-4.3.1.tsv.gz | cut -f2- | java -cp "KAFKA/libs/*" Answers.java | gzip -9n > …
//
//   super.users, allow.everyone.if.no.acl.found, ACLs (separated by ;), principal, address, operation, resource type, name, 1: any name

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.metrics.MetricValueProvider;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.SecurityUtils;
import org.apache.kafka.metadata.authorizer.StandardAcl;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;

public class Answers {
  record Client(KafkaPrincipal principal, InetAddress clientAddress) implements AuthorizableRequestContext {
    public String listenerName() { return "PLAINTEXT"; }
    public SecurityProtocol securityProtocol() { return SecurityProtocol.PLAINTEXT; }
    public int requestType() { return 1; }
    public int requestVersion() { return 1; }
    public String clientId() { return "answers"; }
    public int correlationId() { return 1; }
  }

  /** Nobody looks at them. */
  static final PluginMetrics noMetrics = new PluginMetrics() {
    public MetricName metricName(String name, String description, LinkedHashMap<String, String> tags) {
      return new MetricName(name, "", description, tags);
    }
    public void addMetric(MetricName name, MetricValueProvider<?> provider) {}
    public void removeMetric(MetricName name) {}
    public Sensor addSensor(String name) { return new org.apache.kafka.common.metrics.Metrics().sensor(name); }
    public void removeSensor(String name) {}
  };

  static boolean allows(String[] asked) throws Exception {
    var authorizer = new StandardAuthorizer();
    authorizer.configure(Map.of(
        "node.id", "1", "super.users", asked[0], "allow.everyone.if.no.acl.found", asked[1]));
    authorizer.withPluginMetrics(noMetrics);
    for (String acl : asked[2].isEmpty() ? new String[0] : asked[2].split(";")) {
      String[] said = acl.split(",");
      authorizer.addAcl(Uuid.randomUuid(), new StandardAcl(ResourceType.valueOf(said[0]), said[1],
          PatternType.valueOf(said[2]), said[3], said[4], AclOperation.valueOf(said[5]),
          AclPermissionType.valueOf(said[6])));
    }
    authorizer.completeInitialLoad();
    var client = new Client(SecurityUtils.parseKafkaPrincipal(asked[3]), InetAddress.getByName(asked[4]));
    var operation = AclOperation.valueOf(asked[5]);
    var type = ResourceType.valueOf(asked[6]);
    if (asked[8].equals("1"))
      return authorizer.authorizeByResourceType(client, operation, type) == AuthorizationResult.ALLOWED;
    var resource = new ResourcePattern(type, asked[7], PatternType.LITERAL);
    var action = new Action(operation, resource, 1, false, false);
    return authorizer.authorize(client, List.of(action)).get(0) == AuthorizationResult.ALLOWED;
  }

  public static void main(String[] none) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine())
      System.out.println((allows(line.split("\t", -1)) ? 1 : 0) + "\t" + line);
  }
}
