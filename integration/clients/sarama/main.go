// sarama: what most older Go services run.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

const (
	records      = 200
	timedRecords = 100
	timedStep    = time.Second
	patience     = 30 * time.Second
)

var codecs = []sarama.CompressionCodec{
	sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4,
	sarama.CompressionZSTD,
}

var (
	brokers             []string
	topic, timed, group string
)

func main() {
	brokers = []string{os.Args[1]}
	topic, timed, group = os.Args[2]+"-topic", os.Args[2]+"-timed", os.Args[2]+"-group"
	fmt.Println("CLIENT sarama", version("github.com/IBM/sarama"))
	admin := must(sarama.NewClusterAdmin(brokers, settings()))
	defer admin.Close()
	step("create", func() error {
		first := admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1}, false)
		second := admin.CreateTopic(timed, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false)
		return errors.Join(first, second)
	})
	for _, codec := range codecs {
		step("produce "+codec.String(), func() error { return produce(codecRecords(codec), codec) })
	}
	reader := newReader()
	step("consume in a group", reader.consume)
	step("commit", func() error { return reader.commit(admin) })
	step("seek by time", seekByTime)
	look(admin)
	step("leave the group", reader.close)
	step("delete group", func() error { return admin.DeleteConsumerGroup(group) })
	step("delete topic", func() error { return deleteTopics(admin) })
}

func settings() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	return config
}

func look(admin sarama.ClusterAdmin) {
	step("list topics", func() error {
		topics, err := admin.ListTopics()
		_, has := topics[topic]
		return errors.Join(err, equal(has, true, "the topic is listed"))
	})
	step("describe topic", func() error {
		topics, err := admin.DescribeTopics([]string{topic})
		if err != nil {
			return err
		}
		return equal(len(topics[0].Partitions), 3, "partitions")
	})
	step("list groups", func() error {
		groups, err := admin.ListConsumerGroups()
		_, has := groups[group]
		return errors.Join(err, equal(has, true, "the group is listed"))
	})
	step("describe group", func() error {
		groups, err := admin.DescribeConsumerGroups([]string{group})
		if err != nil {
			return err
		}
		return equal(fmt.Sprint(groups[0].State, " ", len(groups[0].Members)), "Stable 1", "state and members")
	})
	step("configs", func() error {
		wanted := "123456"
		set := sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &wanted}
		entries := map[string]sarama.IncrementalAlterConfigsEntry{"retention.ms": set}
		if err := admin.IncrementalAlterConfig(sarama.TopicResource, topic, entries, false); err != nil {
			return err
		}
		described, err := admin.DescribeConfig(sarama.ConfigResource{
			Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"},
		})
		if err != nil {
			return err
		}
		return equal(described[0].Value, wanted, "retention.ms")
	})
}

func produce(batch []*sarama.ProducerMessage, codec sarama.CompressionCodec) error {
	config := settings()
	config.Producer.Compression = codec
	producer, err := sarama.NewSyncProducer(brokers, config)
	if err != nil {
		return err
	}
	return errors.Join(producer.SendMessages(batch), producer.Close())
}

func codecRecords(codec sarama.CompressionCodec) []*sarama.ProducerMessage {
	var batch []*sarama.ProducerMessage
	for at := range records {
		value := sarama.StringEncoder(fmt.Sprintf("%s %d", codec, at))
		batch = append(batch, &sarama.ProducerMessage{Topic: topic, Partition: int32(at % 3), Key: value, Value: value})
	}
	return batch
}

// reader is a member of the group that hands on what it reads.
type reader struct {
	group   sarama.ConsumerGroup
	values  chan string
	session chan sarama.ConsumerGroupSession
	stop    context.CancelFunc
}

func newReader() *reader {
	ctx, stop := context.WithCancel(context.Background())
	r := &reader{
		group:   must(sarama.NewConsumerGroup(brokers, group, settings())),
		values:  make(chan string, len(codecs)*records),
		session: make(chan sarama.ConsumerGroupSession, 10),
		stop:    stop,
	}
	go func() {
		for ctx.Err() == nil {
			if err := r.group.Consume(ctx, []string{topic}, r); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}()
	return r
}

func (r *reader) Setup(session sarama.ConsumerGroupSession) error {
	r.session <- session
	return nil
}

func (r *reader) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (r *reader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		session.MarkMessage(message, "")
		r.values <- string(message.Value)
	}
	return nil
}

func (r *reader) consume() error {
	var found, expected []string
	late := time.After(patience)
	for len(found) < len(codecs)*records {
		select {
		case value := <-r.values:
			found = append(found, value)
		case <-late:
			return fmt.Errorf("only %d records came", len(found))
		}
	}
	for _, codec := range codecs {
		for at := range records {
			expected = append(expected, fmt.Sprintf("%s %d", codec, at))
		}
	}
	slices.Sort(found)
	slices.Sort(expected)
	return equal(strings.Join(found, ","), strings.Join(expected, ","), "values")
}

func (r *reader) commit(admin sarama.ClusterAdmin) error {
	(<-r.session).Commit()
	committed, err := admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0, 1, 2}})
	if err != nil {
		return err
	}
	sum := int64(0)
	for _, block := range committed.Blocks[topic] {
		sum += block.Offset
	}
	return equal(sum, int64(len(codecs)*records), "committed offsets")
}

func (r *reader) close() error {
	r.stop()
	return r.group.Close()
}

func seekByTime() error {
	base := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	var batch []*sarama.ProducerMessage
	for at := range timedRecords {
		stamp := base.Add(time.Duration(at) * timedStep)
		value := sarama.StringEncoder(fmt.Sprint(at))
		batch = append(batch, &sarama.ProducerMessage{Topic: timed, Timestamp: stamp, Value: value})
	}
	if err := produce(batch, sarama.CompressionNone); err != nil {
		return err
	}
	client, err := sarama.NewClient(brokers, settings())
	if err != nil {
		return err
	}
	defer client.Close()
	offset, err := client.GetOffset(timed, 0, base.Add(50*timedStep).UnixMilli()-1)
	if err != nil {
		return err
	}
	if err := equal(offset, int64(50), "offset"); err != nil {
		return err
	}
	consumer := must(sarama.NewConsumerFromClient(client))
	partition, err := consumer.ConsumePartition(timed, 0, offset)
	if err != nil {
		return err
	}
	defer partition.AsyncClose()
	select {
	case message := <-partition.Messages():
		return equal(string(message.Value), "50", "value")
	case <-time.After(patience):
		return errors.New("no record came")
	}
}

func deleteTopics(admin sarama.ClusterAdmin) error {
	if err := errors.Join(admin.DeleteTopic(topic), admin.DeleteTopic(timed)); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		topics, err := admin.ListTopics()
		_, has := topics[topic]
		if err != nil || !has {
			return err
		}
	}
	return errors.New("topics did not go")
}

// step prints the outcome of one step; leaving the group has no column, so only its failure is told.
func step(name string, body func() error) {
	err := body()
	switch {
	case err != nil:
		fmt.Printf("FAIL %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
	case name != "leave the group":
		fmt.Println("PASS", name)
	}
}

func equal[T comparable](found, expected T, what string) error {
	if found != expected {
		return fmt.Errorf("%s: %.200v instead of %.200v", what, found, expected)
	}
	return nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func version(module string) string {
	build, _ := debug.ReadBuildInfo()
	for _, dependency := range build.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "unknown"
}
