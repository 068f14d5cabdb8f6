package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const groupPartitions = 6

// What the members of one group did together.
type ledger struct {
	lock      sync.Mutex
	processed map[int32]map[int64]bool
	failures  []error
}

func newLedger() *ledger { return &ledger{processed: map[int32]map[int64]bool{}} }

func (l *ledger) note(record *kgo.Record) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.processed[record.Partition] == nil {
		l.processed[record.Partition] = map[int64]bool{}
	}
	l.processed[record.Partition][record.Offset] = true
}

func (l *ledger) count() int {
	l.lock.Lock()
	defer l.lock.Unlock()
	sum := 0
	for _, offsets := range l.processed {
		sum += len(offsets)
	}
	return sum
}

func (l *ledger) until(ctx context.Context, what string, condition func() bool) error {
	for !condition() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("not in time: %s; processed %d, %v", what, l.count(), l.failures)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// A consumer that processes records and commits them.
type member struct {
	client *kgo.Client
	lock   sync.Mutex
	held   map[int32]bool
	done   chan struct{}
}

func join(topic string, l *ledger, options ...kgo.Opt) *member {
	m := &member{held: map[int32]bool{}, done: make(chan struct{})}
	hold := func(held bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, changed map[string][]int32) {
			m.lock.Lock()
			defer m.lock.Unlock()
			for _, partition := range changed[topic] {
				if held {
					m.held[partition] = true
				} else {
					delete(m.held, partition)
				}
			}
		}
	}
	m.client = plaintext(append([]kgo.Opt{
		kgo.ConsumerGroup(topic),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		// Longer than any machine stands still: who is held for dead loses what it has.
		kgo.SessionTimeout(30 * time.Second),
		kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.OnPartitionsAssigned(hold(true)),
		kgo.OnPartitionsRevoked(hold(false)),
		kgo.OnPartitionsLost(hold(false)),
	}, options...)...)
	go m.run(l)
	return m
}

func (m *member) run(l *ledger) {
	defer close(m.done)
	for {
		// Not for ever: a commit that was refused is tried again, also when nothing more comes.
		polling, polled := context.WithTimeout(context.Background(), 200*time.Millisecond)
		fetches := m.client.PollFetches(polling)
		polled()
		if fetches.IsClientClosed() {
			return
		}
		fetches.EachRecord(l.note)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		// A commit that comes too late for its generation is refused: whoever has the partitions then commits, or reads the
		// records again.
		_ = m.client.CommitUncommittedOffsets(ctx)
		cancel()
	}
}

func (m *member) count() int {
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.held)
}

func (m *member) leave() {
	m.client.Close()
	<-m.done
}

func shared(members ...*member) func() bool {
	return func() bool {
		sum, least := 0, groupPartitions/len(members)
		for _, m := range members {
			count := m.count()
			sum += count
			if count < least || count > least+1 {
				return false
			}
		}
		return sum == groupPartitions
	}
}

func produceEach(ctx context.Context, topic string, each int) error {
	client := plaintext(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	var records []*kgo.Record
	for number := 0; number < each*groupPartitions; number++ {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(number % groupPartitions), Value: []byte("value")})
	}
	return client.ProduceSync(ctx, records...).FirstErr()
}

// The group has committed as much of every partition.
func committed(topic string, each int64) func() bool {
	client := plaintext()
	admin := kadm.NewClient(client)
	return func() bool {
		offsets, err := admin.FetchOffsets(context.Background(), topic)
		if err != nil {
			return false
		}
		for partition := int32(0); partition < groupPartitions; partition++ {
			found, _ := offsets.Lookup(topic, partition)
			if found.At != each {
				return false
			}
		}
		client.Close()
		return true
	}
}

func scale(balancer kgo.GroupBalancer) func(context.Context) error {
	return func(ctx context.Context) error {
		topic := "go-scale-" + balancer.ProtocolName()
		if err := create(ctx, topic, groupPartitions); err != nil {
			return err
		}
		l := newLedger()
		var members []*member
		defer func() {
			for _, m := range members {
				m.leave()
			}
		}()
		for number := 0; number < 3; number++ {
			members = append(members, join(topic, l, kgo.Balancers(balancer)))
			if err := l.until(ctx, "they share", shared(members...)); err != nil {
				return err
			}
			if err := produceEach(ctx, topic, 100); err != nil {
				return err
			}
		}
		if err := l.until(ctx, "all is committed", committed(topic, 300)); err != nil {
			return err
		}
		members[2].leave()
		members[1].leave()
		members = members[:1]
		if err := l.until(ctx, "the first has all again", shared(members...)); err != nil {
			return err
		}
		if err := produceEach(ctx, topic, 10); err != nil {
			return err
		}
		if err := l.until(ctx, "all is committed again", committed(topic, 310)); err != nil {
			return err
		}
		return exactly(l, 310*groupPartitions)
	}
}

func exactly(l *ledger, count int) error {
	if found := l.count(); found != count {
		return fmt.Errorf("%d records processed of %d", found, count)
	}
	return nil
}

func staticMember(ctx context.Context) error {
	topic := "go-static"
	if err := create(ctx, topic, groupPartitions); err != nil {
		return err
	}
	l := newLedger()
	settings := []kgo.Opt{kgo.InstanceID("one")}
	first := join(topic, l, settings...)
	if err := l.until(ctx, "it has all", shared(first)); err != nil {
		return err
	}
	_, generation := first.client.GroupMetadata()
	first.leave()
	second := join(topic, l, settings...)
	defer second.leave()
	if err := l.until(ctx, "it has all again", shared(second)); err != nil {
		return err
	}
	if _, again := second.client.GroupMetadata(); again != generation {
		return fmt.Errorf("generation %d after %d", again, generation)
	}
	if err := produceEach(ctx, topic, 10); err != nil {
		return err
	}
	return l.until(ctx, "all is committed", committed(topic, 10))
}

func killedCoordinator(ctx context.Context) error {
	topic := "go-killed"
	if err := create(ctx, topic, groupPartitions); err != nil {
		return err
	}
	l := newLedger()
	// A member that comes back under another id than it had holds the group up for a session.
	session := kgo.SessionTimeout(8 * time.Second)
	members := []*member{join(topic, l, session), join(topic, l, session), join(topic, l, session)}
	defer func() {
		for _, m := range members {
			m.leave()
		}
	}()
	if err := l.until(ctx, "they share", shared(members...)); err != nil {
		return err
	}
	client := plaintext()
	defer client.Close()
	described, err := kadm.NewClient(client).DescribeGroups(ctx, topic)
	if err != nil {
		return err
	}
	if err := produceEach(ctx, topic, 50); err != nil {
		return err
	}
	id := strconv.Itoa(int(described[topic].Coordinator.NodeID))
	kill := exec.Command("node", filepath.Join(os.Args[3], "local", "broker-command.ts"), "kill", id, "--data", os.Args[4])
	if output, err := kill.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	if err := produceEach(ctx, topic, 50); err != nil {
		return err
	}
	if err := l.until(ctx, "all is committed", committed(topic, 100)); err != nil {
		return err
	}
	if err := l.until(ctx, "they share again", shared(members...)); err != nil {
		return err
	}
	return exactly(l, 100*groupPartitions)
}

func groupAdministration(ctx context.Context) error {
	topic := "go-group-admin"
	if err := create(ctx, topic, groupPartitions); err != nil {
		return err
	}
	client := plaintext()
	defer client.Close()
	admin := kadm.NewClient(client)
	l := newLedger()
	only := join(topic, l)
	if err := l.until(ctx, "it has all", shared(only)); err != nil {
		return err
	}
	lags, err := admin.Lag(ctx, topic)
	if err != nil || lags.Error() != nil || lags[topic].State != "Stable" || lags[topic].Lag.Total() != 0 {
		return fmt.Errorf("lag: %v, %v", lags, err)
	}
	only.leave()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 3, 0, -1)
	if err := admin.CommitAllOffsets(ctx, topic, offsets); err != nil {
		return err
	}
	listed, err := admin.ListGroups(ctx)
	if err != nil || listed[topic].State != "Empty" {
		return fmt.Errorf("listed: %v, %v", listed, err)
	}
	if _, err := admin.DeleteGroup(ctx, topic); err != nil {
		return err
	}
	if listed, err = admin.ListGroups(ctx); err != nil || listed[topic].Group != "" {
		return fmt.Errorf("listed after its end: %v, %v", listed, err)
	}
	return nil
}
