import { afterAll, beforeAll, expect, test } from "vitest";
import { metadata } from "../../shared/kafka/schema/metadata.ts";
import { produce } from "../../shared/kafka/schema/produce.ts";
import { WireClient } from "../unit/broker/connection/wire-client.ts";
import { records } from "../unit/broker/connection/wire-requests.ts";
import { LocalCloudProcess } from "./local-cloud-process.ts";

let cloud: LocalCloudProcess;
beforeAll(async () => {
  cloud = await LocalCloudProcess.start();
});
afterAll(() => cloud.dispose());

const topics = 30;
const batches = 10;

test("the first batches to a topic that they bring about are taken in their order, however soon they come", async () => {
  const { brokers } = cloud.ready;
  const clients = await Promise.all(brokers.map(({ port }) => WireClient.connect(port)));
  const leaders = new Map<number, WireClient>();
  for (const { id, port } of brokers) leaders.set(id, await WireClient.connect(port));
  const leaderOf = async (asked: WireClient, name: string) => {
    const { topics: described } = await asked.call(metadata, 9, { topics: [{ name }], allowAutoTopicCreation: true });
    return described[0]?.partitions[0];
  };
  for (let number = 0, judged = 0; judged < topics; number++) {
    const name = `first-${number}`;
    // Whoever is asked knows the leader at once; the leader itself has a log to open first.
    const asked = clients[number % clients.length] as WireClient;
    const first = await leaderOf(asked, name);
    // Where a busy machine's broker cannot make it in time there is nothing to see.
    const leader = leaders.get(first?.leaderId ?? -1);
    if (leader === undefined) continue;
    const answers = await Promise.all(
      Array.from({ length: batches }, (_, batch) => leader.call(produce, 9, records(`${batch}`, -1, name))),
    );
    const outcomes = answers.map(({ responses }) => responses[0]?.partitionResponses[0]);
    // Nor where the leader that was told had been held for dead and replaced.
    if (outcomes.some((outcome) => outcome?.errorCode !== 0)) {
      const later = await leaderOf(asked, name);
      if (later?.leaderEpoch !== first?.leaderEpoch) continue;
    }
    judged += 1;
    expect(outcomes.map((outcome) => [outcome?.errorCode, outcome?.baseOffset])).toEqual(
      Array.from({ length: batches }, (_, batch) => [0, batch]),
    );
  }
  for (const client of [...clients, ...leaders.values()]) client.close();
});
