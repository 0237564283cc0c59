import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.SecurityDisabledException;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** The calls that a Kafka UI makes through Java's AdminClient, each as a case for program-judge.ts. */
public class AdminCalls {
    private final String bootstrap;
    private final Admin admin;
    private final String topic = "java-" + UUID.randomUUID();
    private final String group = topic;
    private final TopicPartition partition = new TopicPartition(topic, 0);

    private interface Check {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        new AdminCalls(args[0]).run();
        System.exit(0);
    }

    private AdminCalls(String bootstrap) {
        this.bootstrap = bootstrap;
        Properties settings = settings();
        settings.put("request.timeout.ms", "10000");
        settings.put("default.api.timeout.ms", "15000");
        admin = Admin.create(settings);
    }

    private void run() throws Exception {
        judge("creates a topic with settings", () -> {
            NewTopic wanted = new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "1000000"));
            CreateTopicsResult result = admin.createTopics(List.of(wanted));
            result.all().get();
            same(result.numPartitions(topic).get(), 2);
        });
        judge("produces and reads in a group, records of a transaction", this::fill);
        judge("describes the cluster", () -> {
            DescribeClusterResult cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
            same(cluster.nodes().get().size(), 1);
            same(cluster.controller().get().isEmpty(), false);
            same(cluster.clusterId().get().isEmpty(), false);
        });
        judge("lists topics, internal ones too", () ->
            same(admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get().contains(topic), true));
        judge("describes topics with what it may do", () -> {
            DescribeTopicsOptions options = new DescribeTopicsOptions().includeAuthorizedOperations(true);
            TopicDescription description = admin.describeTopics(List.of(topic), options).allTopicNames().get().get(topic);
            same(description.partitions().size(), 2);
            same(description.partitions().get(0).isr().size(), 1);
        });
        judge("describes settings with synonyms and documentation", () -> {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            DescribeConfigsOptions options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
            Config config = admin.describeConfigs(List.of(resource), options).all().get().get(resource);
            same(config.get("retention.ms").value(), "1000000");
            same(config.get("retention.ms").source(), ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG);
            same(config.get("cleanup.policy").isDefault(), true);
            same(config.get("retention.ms").documentation().isEmpty(), false);
        });
        judge("describes the settings of the broker", () -> {
            ConfigResource resource = new ConfigResource(ConfigResource.Type.BROKER, aBroker());
            same(admin.describeConfigs(List.of(resource)).all().get().get(resource).entries().isEmpty(), false);
        });
        judge("changes and removes a setting", () -> {
            change(new ConfigEntry("retention.ms", "2000000"), AlterConfigOp.OpType.SET);
            eventually(() -> same(setting("retention.ms"), "2000000"));
            change(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE);
            eventually(() -> same(setting("retention.ms").equals("2000000"), false));
        });
        judge("adds partitions", () -> {
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
            eventually(() ->
                same(admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size(), 3));
        });
        judge("lists offsets: earliest, latest, by time, of the latest time", () -> {
            same(offset(OffsetSpec.earliest()), 0L);
            same(offset(OffsetSpec.forTimestamp(1)), 0L);
            same(offset(OffsetSpec.maxTimestamp()) >= 0, true);
            same(offset(OffsetSpec.latest()) >= 3, true);
        });
        judge("lists groups with their states", () -> {
            Collection<GroupListing> groups = admin.listGroups(ListGroupsOptions.forConsumerGroups()).all().get();
            same(groups.stream().anyMatch(listing -> listing.groupId().equals(group)), true);
        });
        judge("describes a group", () -> {
            ConsumerGroupDescription description = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            same(description.groupState().toString(), "Empty");
        });
        judge("lists the offsets of groups", () -> {
            Map<String, ListConsumerGroupOffsetsSpec> asked = Map.of(group, new ListConsumerGroupOffsetsSpec());
            Map<TopicPartition, OffsetAndMetadata> offsets =
                admin.listConsumerGroupOffsets(asked).partitionsToOffsetAndMetadata(group).get();
            same(offsets.get(partition).offset() > 0, true);
        });
        judge("sets and deletes offsets of a group", () -> {
            admin.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(1, "note"))).all().get();
            Map<TopicPartition, OffsetAndMetadata> offsets =
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            same(offsets.get(partition).metadata(), "note");
            admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get();
            offsets = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            same(offsets.get(partition) == null, true);
        });
        judge("removes the members of a group", () -> {
            try (KafkaConsumer<String, String> member = consumer("static")) {
                member.subscribe(List.of(topic));
                for (int polls = 0; member.assignment().isEmpty() && polls < 50; polls++) member.poll(Duration.ofMillis(200));
                admin.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions()).all().get();
                same(admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().size(), 0);
            }
        });
        judge("deletes a group", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        judge("describes the log directories", () -> {
            Map<String, LogDirDescription> folders =
                admin.describeLogDirs(List.of(brokerId())).allDescriptions().get().get(brokerId());
            long bytes = folders.values().stream().flatMap(folder -> folder.replicaInfos().entrySet().stream())
                .filter(entry -> entry.getKey().topic().equals(topic)).mapToLong(entry -> entry.getValue().size()).sum();
            same(bytes > 0, true);
        });
        judge("describes producers and transactions", () -> {
            same(admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().size(), 1);
            same(admin.listTransactions().all().get().stream().anyMatch(t -> t.transactionalId().equals(topic)), true);
            same(admin.describeTransactions(List.of(topic)).description(topic).get().state(), TransactionState.COMPLETE_COMMIT);
        });
        judge("is told that nobody checks access", () ->
            fails(SecurityDisabledException.class, () -> admin.describeAcls(AclBindingFilter.ANY).values().get()));
        judge("describes quotas: there are none", () ->
            same(admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get().size(), 0));
        judge("describes SCRAM users: there are none", () ->
            same(admin.describeUserScramCredentials().all().get().size(), 0));
        judge("describes the features of the cluster", () -> admin.describeFeatures().featureMetadata().get());
        judge("fences producers", () -> admin.fenceProducers(List.of(topic)).all().get());
        judge("deletes records", () -> {
            admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(2))).all().get();
            same(offset(OffsetSpec.earliest()), 2L);
        });
        judge("is refused a topic twice, a wrong setting and too many replicas", () -> {
            fails(org.apache.kafka.common.errors.TopicExistsException.class, () ->
                admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get());
            fails(org.apache.kafka.common.errors.InvalidConfigurationException.class, () ->
                change(new ConfigEntry("retention.ms", "soon"), AlterConfigOp.OpType.SET));
            fails(org.apache.kafka.common.errors.InvalidReplicationFactorException.class, () ->
                admin.createTopics(List.of(new NewTopic(topic + "-3", 1, (short) 3))).all().get());
        });
        judge("deletes a topic", () -> {
            admin.deleteTopics(List.of(topic)).all().get();
            eventually(() -> fails(org.apache.kafka.common.errors.UnknownTopicOrPartitionException.class, () ->
                admin.describeTopics(List.of(topic)).allTopicNames().get()));
        });
    }

    private void fill() throws Exception {
        Properties settings = settings();
        settings.put("transactional.id", topic);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            for (boolean commits : new boolean[] {false, true}) {
                producer.beginTransaction();
                for (int i = 0; i < 3; i++) producer.send(new ProducerRecord<>(topic, 0, "k", String.valueOf(commits)));
                producer.flush();
                if (commits) producer.commitTransaction();
                else producer.abortTransaction();
            }
        }
        try (KafkaConsumer<String, String> consumer = consumer(null)) {
            consumer.subscribe(List.of(topic));
            int count = 0;
            for (int polls = 0; count < 3 && polls < 50; polls++) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
                    same(record.value(), "true");
                    count++;
                }
            }
            same(count, 3);
            consumer.commitSync();
        }
    }

    private KafkaConsumer<String, String> consumer(String instance) {
        Properties settings = settings();
        settings.put("group.id", group);
        settings.put("auto.offset.reset", "earliest");
        settings.put("isolation.level", "read_committed");
        settings.put("enable.auto.commit", "false");
        if (instance != null) settings.put("group.instance.id", instance);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    private Properties settings() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        return settings;
    }

    private long offset(OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get().offset();
    }

    private void change(ConfigEntry entry, AlterConfigOp.OpType how) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(entry, how)))).all().get();
    }

    private String setting(String name) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(name).value();
    }

    private int brokerId() throws Exception {
        return admin.describeCluster().nodes().get().iterator().next().id();
    }

    private String aBroker() throws Exception {
        return String.valueOf(brokerId());
    }

    private static void judge(String title, Check check) {
        System.out.println("begun\t" + title);
        try {
            check.run();
            System.out.println("passed\t" + title);
        } catch (Throwable error) {
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            System.out.println("failed\t" + title + "\t" + String.valueOf(cause).replace('\n', ' '));
        }
    }

    /** What was changed is seen a moment later on Apache Kafka. */
    private static void eventually(Check check) throws Exception {
        for (int attempt = 1; ; attempt++) {
            try {
                check.run();
                return;
            } catch (AssertionError error) {
                if (attempt == 20) throw error;
                Thread.sleep(250);
            }
        }
    }

    private static void fails(Class<? extends Exception> expected, Check check) throws Exception {
        try {
            check.run();
        } catch (Exception error) {
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            if (expected.isInstance(cause)) return;
            throw error;
        }
        throw new AssertionError("expected " + expected.getSimpleName());
    }

    private static void same(Object got, Object expected) {
        if (!expected.equals(got)) throw new AssertionError("expected " + expected + ", got " + got);
    }
}
