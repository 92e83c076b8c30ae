import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.security.token.delegation.DelegationToken;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** kafka-clients against a broker that asks who they are: arguments are the directory of certificates, and three ports. */
public final class Secured {
    private static final String TOPIC = "open-t";
    private static boolean failed;
    private static Path dir;

    public static void main(String[] arguments) throws Exception {
        dir = Path.of(arguments[0]);
        String ssl = "localhost:" + arguments[1];
        String sasl = "localhost:" + arguments[3];
        check("SCRAM-SHA-512", login(sasl, scram("alice", "alice-secret"), "SCRAM-SHA-512"), "ok");
        check("SCRAM-SHA-256", login(sasl, scram("alice", "alice-secret"), "SCRAM-SHA-256"), "ok");
        check("PLAIN", login(sasl, plain("alice", "alice-secret"), "PLAIN"), "ok");
        check("certificate", certificate(ssl), "ok");
        Properties wrong = login(sasl, scram("alice", "wrong"), "SCRAM-SHA-512");
        check("wrong-password", wrong, "SaslAuthenticationException");
        Properties carol = login(sasl, scram("bob", "bob-secret"), "SCRAM-SHA-512");
        check("without-rights", carol, "TopicAuthorizationException");
        check("delegation-token", token(sasl), "ok");
        System.exit(failed ? 1 : 0);
    }

    private static void check(String what, Properties properties, String expected) {
        String found = roundTrip(properties, what);
        boolean good = found.equals(expected);
        failed |= !good;
        System.out.println("CASE java-" + what + (good ? " ok" : " fail " + found));
    }

    private static String roundTrip(Properties properties, String group) {
        properties.put("max.block.ms", "30000");
        properties.put("key.serializer", StringSerializer.class.getName());
        properties.put("value.serializer", StringSerializer.class.getName());
        properties.put("key.deserializer", StringDeserializer.class.getName());
        properties.put("value.deserializer", StringDeserializer.class.getName());
        properties.put("group.id", "java-" + group);
        properties.put("auto.offset.reset", "earliest");
        String value = UUID.randomUUID().toString();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(properties)) {
            producer.send(new ProducerRecord<>(TOPIC, value)).get(40, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            return error.getCause().getClass().getSimpleName();
        } catch (Exception error) {
            return error.getClass().getSimpleName();
        }
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties)) {
            consumer.subscribe(List.of(TOPIC));
            for (int round = 0; round < 40; round++) {
                for (var record : consumer.poll(Duration.ofMillis(500))) {
                    if (record.value().equals(value)) {
                        return "ok";
                    }
                }
            }
            return "nothing came";
        } catch (Exception error) {
            return error.getClass().getSimpleName();
        }
    }

    private static Properties encrypted(String bootstrap, String protocol) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("security.protocol", protocol);
        properties.put("ssl.truststore.type", "PEM");
        properties.put("ssl.truststore.location", dir.resolve("ca.pem").toString());
        return properties;
    }

    private static Properties login(String bootstrap, String jaas, String mechanism) {
        Properties properties = encrypted(bootstrap, "SASL_SSL");
        properties.put("sasl.mechanism", mechanism);
        properties.put("sasl.jaas.config", jaas);
        return properties;
    }

    private static Properties certificate(String bootstrap) throws Exception {
        Properties properties = encrypted(bootstrap, "SSL");
        properties.put("ssl.keystore.type", "PEM");
        properties.put("ssl.keystore.certificate.chain", Files.readString(dir.resolve("alice.pem")));
        properties.put("ssl.keystore.key", Files.readString(dir.resolve("alice.key")));
        return properties;
    }

    private static Properties token(String bootstrap) throws Exception {
        Properties alice = login(bootstrap, scram("alice", "alice-secret"), "SCRAM-SHA-512");
        try (Admin admin = Admin.create(alice)) {
            DelegationToken token = admin.createDelegationToken().delegationToken().get(40, TimeUnit.SECONDS);
            String secret = Base64.getEncoder().encodeToString(token.hmac());
            String jaas = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\""
                + token.tokenInfo().tokenId() + "\" password=\"" + secret + "\" tokenauth=\"true\";";
            return login(bootstrap, jaas, "SCRAM-SHA-512");
        }
    }

    private static String scram(String user, String password) {
        return "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + user
            + "\" password=\"" + password + "\";";
    }

    private static String plain(String user, String password) {
        return "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"" + user
            + "\" password=\"" + password + "\";";
    }
}
