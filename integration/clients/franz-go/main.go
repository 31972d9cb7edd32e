// franz-go: the newest protocol versions of all clients.
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

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	records      = 200
	timedRecords = 100
	timedStep    = time.Second
	patience     = 30 * time.Second
)

var codecs = []struct {
	name  string
	codec kgo.CompressionCodec
}{
	{"none", kgo.NoCompression()},
	{"gzip", kgo.GzipCompression()},
	{"snappy", kgo.SnappyCompression()},
	{"lz4", kgo.Lz4Compression()},
	{"zstd", kgo.ZstdCompression()},
}

var bootstrap, topic, timed, group string

func main() {
	bootstrap = os.Args[1]
	topic, timed, group = os.Args[2]+"-topic", os.Args[2]+"-timed", os.Args[2]+"-group"
	fmt.Println("CLIENT franz-go", version("github.com/twmb/franz-go"))
	admin := kadm.NewClient(must(kgo.NewClient(kgo.SeedBrokers(bootstrap))))
	step("create", func(ctx context.Context) error {
		_, first := admin.CreateTopic(ctx, 3, 1, nil, topic)
		_, second := admin.CreateTopic(ctx, 1, 1, nil, timed)
		return errors.Join(first, second)
	})
	for _, codec := range codecs {
		step("produce "+codec.name, func(ctx context.Context) error {
			return produce(ctx, codecRecords(codec.name), codec.codec)
		})
	}
	reader := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())))
	step("consume in a group", func(ctx context.Context) error { return consume(ctx, reader) })
	step("commit", func(ctx context.Context) error { return commit(ctx, reader, admin) })
	step("seek by time", func(ctx context.Context) error { return seekByTime(ctx, admin) })
	look(admin)
	reader.Close()
	step("delete group", func(ctx context.Context) error {
		_, err := admin.DeleteGroup(ctx, group)
		return err
	})
	step("delete topic", func(ctx context.Context) error { return deleteTopics(ctx, admin) })
}

func look(admin *kadm.Client) {
	step("list topics", func(ctx context.Context) error {
		topics, err := admin.ListTopics(ctx)
		return errors.Join(err, equal(topics.Has(topic) && topics.Has(timed), true, "topics are listed"))
	})
	step("describe topic", func(ctx context.Context) error {
		topics, err := admin.ListTopics(ctx, topic)
		return errors.Join(err, equal(len(topics[topic].Partitions), 3, "partitions"))
	})
	step("list groups", func(ctx context.Context) error {
		groups, err := admin.ListGroups(ctx)
		return errors.Join(err, equal(slices.Contains(groups.Groups(), group), true, "the group is listed"))
	})
	step("describe group", func(ctx context.Context) error {
		groups, err := admin.DescribeGroups(ctx, group)
		found := fmt.Sprint(groups[group].State, " ", len(groups[group].Members))
		return errors.Join(err, equal(found, "Stable 1", "state and members"))
	})
	step("configs", func(ctx context.Context) error {
		wanted := "123456"
		set := kadm.AlterConfig{Op: kadm.SetConfig, Name: "retention.ms", Value: &wanted}
		altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{set}, topic)
		if err != nil {
			return err
		}
		described, err := admin.DescribeTopicConfigs(ctx, topic)
		if err != nil || altered[0].Err != nil {
			return errors.Join(err, altered[0].Err)
		}
		for _, config := range described[0].Configs {
			if config.Key == "retention.ms" {
				return equal(*config.Value, wanted, "retention.ms")
			}
		}
		return errors.New("retention.ms is not described")
	})
}

// produce is idempotent with acks=all: the client's defaults.
func produce(ctx context.Context, batch []*kgo.Record, codec kgo.CompressionCodec) error {
	producer := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ProducerBatchCompression(codec),
		kgo.RecordPartitioner(kgo.ManualPartitioner())))
	defer producer.Close()
	return producer.ProduceSync(ctx, batch...).FirstErr()
}

func codecRecords(codec string) []*kgo.Record {
	var batch []*kgo.Record
	for at := range records {
		value := fmt.Sprintf("%s %d", codec, at)
		batch = append(batch, &kgo.Record{Topic: topic, Partition: int32(at % 3), Key: []byte(value), Value: []byte(value)})
	}
	return batch
}

func consume(ctx context.Context, reader *kgo.Client) error {
	var found, expected []string
	for len(found) < len(codecs)*records {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("after %d records: %w", len(found), err)
		}
		fetches.EachRecord(func(record *kgo.Record) { found = append(found, string(record.Value)) })
	}
	for _, codec := range codecs {
		for at := range records {
			expected = append(expected, fmt.Sprintf("%s %d", codec.name, at))
		}
	}
	slices.Sort(found)
	slices.Sort(expected)
	return equal(strings.Join(found, ","), strings.Join(expected, ","), "values")
}

func commit(ctx context.Context, reader *kgo.Client, admin *kadm.Client) error {
	if err := reader.CommitUncommittedOffsets(ctx); err != nil {
		return err
	}
	committed, err := admin.FetchOffsets(ctx, group)
	sum := int64(0)
	committed.Each(func(offset kadm.OffsetResponse) { sum += offset.At })
	return errors.Join(err, equal(sum, int64(len(codecs)*records), "committed offsets"))
}

func seekByTime(ctx context.Context, admin *kadm.Client) error {
	base := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	var batch []*kgo.Record
	for at := range timedRecords {
		stamp := base.Add(time.Duration(at) * timedStep)
		batch = append(batch, &kgo.Record{Topic: timed, Timestamp: stamp, Value: fmt.Append(nil, at)})
	}
	if err := produce(ctx, batch, kgo.NoCompression()); err != nil {
		return err
	}
	found, err := admin.ListOffsetsAfterMilli(ctx, base.Add(50*timedStep).UnixMilli()-1, timed)
	if err != nil {
		return err
	}
	offset, _ := found.Lookup(timed, 0)
	if err := equal(offset.Offset, int64(50), "offset"); err != nil {
		return err
	}
	start := map[string]map[int32]kgo.Offset{timed: {0: kgo.NewOffset().At(offset.Offset)}}
	seeker := must(kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.ConsumePartitions(start)))
	defer seeker.Close()
	fetches := seeker.PollRecords(ctx, 1)
	if err := fetches.Err(); err != nil {
		return err
	}
	return equal(string(fetches.Records()[0].Value), "50", "value")
}

func deleteTopics(ctx context.Context, admin *kadm.Client) error {
	if _, err := admin.DeleteTopics(ctx, topic, timed); err != nil {
		return err
	}
	for ctx.Err() == nil {
		topics, err := admin.ListTopics(ctx)
		if err != nil || !(topics.Has(topic) || topics.Has(timed)) {
			return err
		}
	}
	return errors.New("topics did not go")
}

func step(name string, body func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := body(ctx); err != nil {
		fmt.Printf("FAIL %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	fmt.Println("PASS", name)
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
