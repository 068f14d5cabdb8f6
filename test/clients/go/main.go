// franz-go: `client-suite BOOTSTRAP LIBRDKAFKA_PROPERTIES PROJECT DATA`. Ends with `N passed, N failed`.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

const checkTimeout = 120 * time.Second

var bootstrap []string
var secure map[string]string

func readProperties(file string) map[string]string {
	properties := map[string]string{}
	handle, err := os.Open(file)
	if err != nil {
		panic(err)
	}
	defer handle.Close()
	lines := bufio.NewScanner(handle)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), "="); found {
			properties[name] = value
		}
	}
	return properties
}

func plaintext(options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap...)}, options...)...)
	if err != nil {
		panic(err)
	}
	return client
}

func overTLS(password string, options ...kgo.Opt) *kgo.Client {
	authority, err := os.ReadFile(secure["ssl.ca.location"])
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	base := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(secure["bootstrap.servers"], ",")...),
		kgo.DialTLSConfig(&tls.Config{RootCAs: roots}),
		kgo.SASL(plain.Auth{User: secure["sasl.username"], Pass: password}.AsMechanism()),
	}
	client, err := kgo.NewClient(append(base, options...)...)
	if err != nil {
		panic(err)
	}
	return client
}

func create(ctx context.Context, topic string, partitions int32) error {
	client := plaintext()
	defer client.Close()
	_, err := kadm.NewClient(client).CreateTopic(ctx, partitions, 3, nil, topic)
	return err
}

// Reads a topic from its beginning until so many different values were there, without a group. Resolves with these in the
// order in which each came first: who is not idempotent writes again what lost its acknowledgement with a leader.
func read(ctx context.Context, connect func(...kgo.Opt) *kgo.Client, topic string, count int) ([]string, error) {
	client := connect(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer client.Close()
	var values []string
	seen := map[string]bool{}
	for len(values) < count {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			value := string(record.Value)
			if !seen[value] {
				seen[value] = true
				values = append(values, value)
			}
		})
	}
	return values, nil
}

func roundTrip(topic string, connect func(...kgo.Opt) *kgo.Client, options ...kgo.Opt) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := create(ctx, topic, 1); err != nil {
			return err
		}
		producer := connect(options...)
		defer producer.Close()
		var records []*kgo.Record
		for number := 0; number < 5000; number++ {
			records = append(records, &kgo.Record{Topic: topic, Value: []byte(fmt.Sprintf("value %d", number))})
		}
		if err := producer.ProduceSync(ctx, records...).FirstErr(); err != nil {
			return err
		}
		values, err := read(ctx, connect, topic, len(records))
		if err != nil {
			return err
		}
		for number, value := range values {
			if value != fmt.Sprintf("value %d", number) {
				return fmt.Errorf("record %d is %q", number, value)
			}
		}
		return nil
	}
}

func manyPartitions(ctx context.Context) error {
	if err := create(ctx, "go-wide", 30); err != nil {
		return err
	}
	client := plaintext(kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	defer client.Close()
	var records []*kgo.Record
	for number := 0; number < 6000; number++ {
		records = append(records, &kgo.Record{Topic: "go-wide", Value: []byte(fmt.Sprint(number))})
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	values, err := read(ctx, plaintext, "go-wide", len(records))
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, value := range values {
		seen[value] = true
	}
	if len(seen) != len(records) {
		return fmt.Errorf("%d different values of %d", len(seen), len(records))
	}
	return nil
}

func administration(ctx context.Context) error {
	client := plaintext()
	defer client.Close()
	admin := kadm.NewClient(client)
	if err := create(ctx, "go-admin", 2); err != nil {
		return err
	}
	if _, err := admin.CreateTopic(ctx, 2, 3, nil, "go-admin"); !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("expected TOPIC_ALREADY_EXISTS, got %v", err)
	}
	details, err := admin.ListTopics(ctx, "go-admin")
	if err != nil || len(details["go-admin"].Partitions) != 2 {
		return fmt.Errorf("listed %v, %v", details, err)
	}
	offsets, err := admin.ListEndOffsets(ctx, "go-admin")
	if err != nil || offsets.Error() != nil {
		return fmt.Errorf("end offsets: %v, %v", err, offsets.Error())
	}
	// A broker that stands still for a moment is not named meanwhile.
	for brokers, err := admin.ListBrokers(ctx); len(brokers) != 3; brokers, err = admin.ListBrokers(ctx) {
		if err != nil || ctx.Err() != nil {
			return fmt.Errorf("brokers: %v, %v", brokers, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if _, err := admin.DeleteTopics(ctx, "go-admin"); err != nil {
		return err
	}
	return nil
}

func wrongSecret(ctx context.Context) error {
	client := overTLS("wrong")
	defer client.Close()
	if err := client.Ping(ctx); !errors.Is(err, kerr.SaslAuthenticationFailed) {
		return fmt.Errorf("expected SASL_AUTHENTICATION_FAILED, got %v", err)
	}
	return nil
}

func main() {
	bootstrap = strings.Split(os.Args[1], ",")
	secure = readProperties(os.Args[2])
	withKey := func(options ...kgo.Opt) *kgo.Client { return overTLS(secure["sasl.password"], options...) }
	notIdempotent := kgo.DisableIdempotentWrite()
	checks := []struct {
		name string
		run  func(context.Context) error
	}{
		{"round trip, idempotent", roundTrip("go-idempotent", plaintext)},
		{"round trip, not idempotent", roundTrip("go-plain", plaintext, notIdempotent, kgo.RequiredAcks(kgo.AllISRAcks()))},
		{"round trip, acks=1", roundTrip("go-leader", plaintext, notIdempotent, kgo.RequiredAcks(kgo.LeaderAck()))},
		{"round trip, gzip", roundTrip("go-gzip", plaintext, kgo.ProducerBatchCompression(kgo.GzipCompression()))},
		{"round trip, snappy", roundTrip("go-snappy", plaintext, kgo.ProducerBatchCompression(kgo.SnappyCompression()))},
		{"round trip, lz4", roundTrip("go-lz4", plaintext, kgo.ProducerBatchCompression(kgo.Lz4Compression()))},
		{"round trip, zstd", roundTrip("go-zstd", plaintext, kgo.ProducerBatchCompression(kgo.ZstdCompression()))},
		{"round trip over SASL_SSL", roundTrip("go-secure", withKey)},
		{"many partitions", manyPartitions},
		{"administration", administration},
		{"a wrong secret is refused", wrongSecret},
		{"group of one, two, three, one, cooperative-sticky", scale(kgo.CooperativeStickyBalancer())},
		{"group of one, two, three, one, sticky", scale(kgo.StickyBalancer())},
		{"group of one, two, three, one, range", scale(kgo.RangeBalancer())},
		{"group of one, two, three, one, roundrobin", scale(kgo.RoundRobinBalancer())},
		{"a static member comes back without a rebalance", staticMember},
		{"groups by kadm", groupAdministration},
		{"kill -9 of the coordinator's broker", killedCoordinator},
	}
	passed, failed := 0, 0
	for _, check := range checks {
		ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
		err := check.run(ctx)
		cancel()
		if err == nil {
			passed++
			fmt.Println("ok   ", check.name)
		} else {
			failed++
			fmt.Println("FAIL ", check.name+":", err)
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
