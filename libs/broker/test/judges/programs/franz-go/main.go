// franz-go as its users use it. Prints what became of each case, as program-judge.ts reads it.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const caseTimeout = 45 * time.Second

type judge struct {
	ctx       context.Context
	bootstrap string
	topic     string
}

func (j judge) client(options ...kgo.Opt) (*kgo.Client, error) {
	base := []kgo.Opt{kgo.SeedBrokers(j.bootstrap), kgo.DefaultProduceTopic(j.topic), kgo.AllowAutoTopicCreation()}
	return kgo.NewClient(append(base, options...)...)
}

func (j judge) create(partitions int32) (*kadm.Client, error) {
	client, err := j.client()
	if err != nil {
		return nil, err
	}
	admin := kadm.NewClient(client)
	_, err = admin.CreateTopic(j.ctx, partitions, 1, map[string]*string{"retention.ms": kadm.StringPtr("1000000")}, j.topic)
	return admin, err
}

func (j judge) produce(values []string, options ...kgo.Opt) error {
	client, err := j.client(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		headers := []kgo.RecordHeader{{Key: "h", Value: []byte("x")}}
		records[i] = &kgo.Record{Key: []byte("k"), Value: []byte(value), Headers: headers}
	}
	return client.ProduceSync(j.ctx, records...).FirstErr()
}

// Reads so many records and checks their values.
func (j judge) read(client *kgo.Client, values []string) error {
	var got []string
	for len(got) < len(values) {
		fetches := client.PollFetches(j.ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) { got = append(got, string(record.Value)) })
	}
	return same(strings.Join(got, ","), strings.Join(values, ","))
}

func (j judge) readTopic(values []string, options ...kgo.Opt) error {
	client, err := j.client(append(options, kgo.ConsumeTopics(j.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := j.read(client, values); err != nil {
		return err
	}
	if group, _ := client.GroupMetadata(); group == "" {
		return nil
	}
	return client.CommitUncommittedOffsets(j.ctx)
}

func numbers(count int) []string {
	values := make([]string, count)
	for i := range values {
		values[i] = fmt.Sprintf("value %d", i)
	}
	return values
}

func codec(name string, compression kgo.CompressionCodec) namedCase {
	return namedCase{"carries " + name + " batches both ways", func(j judge) error {
		values := numbers(1000)
		if err := j.produce(values, kgo.ProducerBatchCompression(compression)); err != nil {
			return err
		}
		return j.readTopic(values)
	}}
}

type namedCase struct {
	title string
	check func(judge) error
}

var cases = []namedCase{
	codec("plain", kgo.NoCompression()),
	codec("gzip", kgo.GzipCompression()),
	codec("snappy", kgo.SnappyCompression()),
	codec("lz4", kgo.Lz4Compression()),
	codec("zstd", kgo.ZstdCompression()),
	{"goes on where its group ended", func(j judge) error {
		for _, values := range [][]string{{"a", "b"}, {"c"}} {
			if err := j.produce(values); err != nil {
				return err
			}
			if err := j.readTopic(values, kgo.ConsumerGroup(j.topic)); err != nil {
				return err
			}
		}
		return nil
	}},
	{"shares partitions cooperatively", func(j judge) error {
		if _, err := j.create(4); err != nil {
			return err
		}
		counts := make(chan [2]int, 100)
		for member := range 2 {
			assigned := 0
			client, err := j.client(
				kgo.ConsumerGroup(j.topic), kgo.ConsumeTopics(j.topic), kgo.Balancers(kgo.CooperativeStickyBalancer()),
				kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, added map[string][]int32) {
					assigned += len(added[j.topic])
					counts <- [2]int{member, assigned}
				}),
				kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
					assigned -= len(gone[j.topic])
					counts <- [2]int{member, assigned}
				}))
			if err != nil {
				return err
			}
			defer client.Close()
			go func() {
				for j.ctx.Err() == nil {
					client.PollFetches(j.ctx)
				}
			}()
		}
		var latest [2]int
		for latest != [2]int{2, 2} {
			select {
			case count := <-counts:
				latest[count[0]] = count[1]
			case <-j.ctx.Done():
				return fmt.Errorf("the members have %v partitions", latest)
			}
		}
		return nil
	}},
	{"reads only committed transactions", func(j judge) error {
		if _, err := j.create(1); err != nil {
			return err
		}
		client, err := j.client(kgo.TransactionalID(j.topic))
		if err != nil {
			return err
		}
		defer client.Close()
		for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
			value := map[kgo.TransactionEndTry]string{kgo.TryAbort: "aborted", kgo.TryCommit: "committed"}[end]
			if err := client.BeginTransaction(); err != nil {
				return err
			}
			if err := client.ProduceSync(j.ctx, kgo.StringRecord(value)).FirstErr(); err != nil {
				return err
			}
			if err := client.EndTransaction(j.ctx, end); err != nil {
				return err
			}
		}
		return j.readTopic([]string{"committed"}, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}},
	{"copies in transactions of a group", func(j judge) error {
		if _, err := j.create(1); err != nil {
			return err
		}
		values := numbers(100)
		if err := j.produce(values); err != nil {
			return err
		}
		target := judge{j.ctx, j.bootstrap, j.topic + "-copy"}
		session, err := kgo.NewGroupTransactSession(
			kgo.SeedBrokers(j.bootstrap), kgo.TransactionalID(j.topic), kgo.ConsumerGroup(j.topic), kgo.ConsumeTopics(j.topic),
			kgo.AllowAutoTopicCreation(), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			return err
		}
		defer session.Close()
		for copied := 0; copied < len(values); {
			fetches := session.PollRecords(j.ctx, 25)
			if err := fetches.Err(); err != nil {
				return err
			}
			if err := session.Begin(); err != nil {
				return err
			}
			fetches.EachRecord(func(record *kgo.Record) {
				session.Produce(j.ctx, &kgo.Record{Topic: target.topic, Key: []byte("k"), Value: record.Value}, nil)
			})
			committed, err := session.End(j.ctx, kgo.TryCommit)
			if err != nil {
				return err
			}
			if committed {
				copied += fetches.NumRecords()
			}
		}
		return target.readTopic(values, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}},
	{"administers topics", func(j judge) error {
		admin, err := j.create(1)
		if err != nil {
			return err
		}
		if response, err := admin.UpdatePartitions(j.ctx, 3, j.topic); err != nil || response.Error() != nil {
			return errors.Join(err, response.Error())
		}
		change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("2000000")}}
		if _, err := admin.AlterTopicConfigs(j.ctx, change, j.topic); err != nil {
			return err
		}
		if _, err := admin.DescribeTopicConfigs(j.ctx, j.topic); err != nil {
			return err
		}
		_, err = admin.DeleteTopic(j.ctx, j.topic)
		return err
	}},
	{"tells the lag of a group, and its end", func(j judge) error {
		if err := j.produce([]string{"a", "b", "c"}); err != nil {
			return err
		}
		client, err := j.client()
		if err != nil {
			return err
		}
		defer client.Close()
		admin := kadm.NewClient(client)
		offsets := kadm.Offsets{}
		offsets.AddOffset(j.topic, 0, 1, -1)
		if err := admin.CommitAllOffsets(j.ctx, j.topic, offsets); err != nil {
			return err
		}
		lags, err := admin.Lag(j.ctx, j.topic)
		if err != nil {
			return err
		}
		lag := lags[j.topic].Lag
		if err := same(lag[j.topic][0].Lag, int64(2)); err != nil {
			return err
		}
		_, err = admin.DeleteGroup(j.ctx, j.topic)
		return err
	}},
	{"is refused what is not there", func(j judge) error {
		client, err := kgo.NewClient(kgo.SeedBrokers(j.bootstrap), kgo.UnknownTopicRetries(1))
		if err != nil {
			return err
		}
		defer client.Close()
		err = client.ProduceSync(j.ctx, &kgo.Record{Topic: j.topic, Value: []byte("v")}).FirstErr()
		if !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return fmt.Errorf("expected an unknown topic, got %v", err)
		}
		return nil
	}},
}

func same[T comparable](got, expected T) error {
	if got == expected {
		return nil
	}
	return fmt.Errorf("expected %.60v, got %.60v", expected, got)
}

func main() {
	for _, each := range cases {
		fmt.Printf("begun\t%s\n", each.title)
		ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
		suffix := make([]byte, 6)
		_, _ = rand.Read(suffix)
		err := each.check(judge{ctx, os.Args[1], fmt.Sprintf("go-%x", suffix)})
		cancel()
		if err == nil {
			fmt.Printf("passed\t%s\n", each.title)
		} else {
			fmt.Printf("failed\t%s\t%s\n", each.title, bytes.ReplaceAll([]byte(err.Error()), []byte("\n"), []byte(" ")))
		}
	}
}
