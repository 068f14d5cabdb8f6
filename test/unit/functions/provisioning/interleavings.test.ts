/** Two calls, and the reconciler, at the same time on a slow table: whatever the order, one wins and nothing is torn. */
import { expect, test } from "vitest";
import { ProvisioningApi } from "../../../../functions/provisioning/provisioning-api.ts";
import { reconcile } from "../../../../functions/provisioning/reconcile.ts";
import { seededRandom } from "../../shared/metadata/log/seeded-random.ts";
import { Actor } from "./actor-store.ts";
import { type Answered, ApiFixture } from "./api-fixture.ts";
import { expectSettled } from "./control-invariants.ts";

/** Statuses in ascending order. */
const ascending = (statuses: readonly number[]) => statuses.toSorted((a, b) => a - b);

type CallLine = { readonly line: string; readonly body?: unknown };

interface Race {
  prepare(fixture: ApiFixture): Promise<readonly CallLine[]>;
  /** What the answers must be among one another. */
  expect(statuses: readonly number[], answers: readonly Answered[]): void;
}

const makeCluster = (name: string, environment?: string): CallLine => ({
  line: "POST /cmk/v2/clusters",
  body: { spec: { display_name: name, ...(environment === undefined ? {} : { environment: { id: environment } }) } },
});

const races: Readonly<Record<string, Race>> = {
  "two clusters of one name": {
    prepare: async () => [makeCluster("a"), makeCluster("a")],
    expect: (statuses) => expect(ascending(statuses)).toEqual([202, 409]),
  },
  "five clusters of one name": {
    prepare: async () => Array.from({ length: 5 }, () => makeCluster("a")),
    expect: (statuses) => expect(ascending(statuses)).toEqual([202, 409, 409, 409, 409]),
  },
  "two service accounts of one name": {
    prepare: async () =>
      Array.from({ length: 2 }, () => ({ line: "POST /iam/v2/service-accounts", body: { display_name: "app" } })),
    expect: (statuses) => expect(ascending(statuses)).toEqual([201, 409]),
  },
  "a cluster deleted while its name is wanted": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      return [{ line: `DELETE /cmk/v2/clusters/${id}?environment=${environment}` }, makeCluster("a")];
    },
    expect: ([deleted, created]) => {
      expect(deleted).toBe(204);
      expect([202, 409]).toContain(created);
    },
  },
  "a cluster deleted while a key of it is made": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      return [
        { line: `DELETE /cmk/v2/clusters/${id}?environment=${environment}` },
        { line: "POST /iam/v2/api-keys", body: { spec: { resource: { id } } } },
      ];
    },
    expect: ([deleted, keyed]) => {
      expect(deleted).toBe(204);
      expect([202, 404]).toContain(keyed);
    },
  },
  "a cluster renamed while it is deleted": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      return [
        { line: `PATCH /cmk/v2/clusters/${id}`, body: { spec: { display_name: "b" } } },
        { line: `DELETE /cmk/v2/clusters/${id}?environment=${environment}` },
      ];
    },
    expect: ([patched, deleted]) => {
      expect(deleted).toBe(204);
      expect([200, 404, 409]).toContain(patched);
    },
  },
  "a cluster protected while it is deleted": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      return [
        { line: `PATCH /cmk/v2/clusters/${id}`, body: { spec: { deletion_protection: true } } },
        { line: `DELETE /cmk/v2/clusters/${id}?environment=${environment}` },
      ];
    },
    // Never both: a cluster that was told to be protected is not deleted after it.
    expect: (statuses) => {
      expect([
        [200, 409],
        [404, 204],
        [200, 204],
      ]).toContainEqual(statuses);
    },
  },
  "two renames to one name": {
    prepare: async (fixture) => {
      const [first, second] = [await fixture.makeCluster("a"), await fixture.makeCluster("b")];
      return [first, second].map(({ id }) => ({
        line: `PATCH /cmk/v2/clusters/${id}`,
        body: { spec: { display_name: "c" } },
      }));
    },
    expect: (statuses) => expect(ascending(statuses)).toEqual([200, 409]),
  },
  "a cluster restored while its name is taken": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      await fixture.send(`DELETE /cmk/v2/clusters/${id}?environment=${environment}`);
      return [{ line: `POST /balafon/v1/clusters/${id}/restore?environment=${environment}` }, makeCluster("a")];
    },
    expect: (statuses) => {
      expect([
        [200, 409],
        [409, 202],
      ]).toContainEqual(statuses);
    },
  },
  "a cluster deleted and restored": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      return [
        { line: `DELETE /cmk/v2/clusters/${id}?environment=${environment}` },
        { line: `POST /balafon/v1/clusters/${id}/restore?environment=${environment}` },
      ];
    },
    expect: ([deleted, restored]) => {
      expect(deleted).toBe(204);
      // 409: it was there, and was deleted before the answer.
      expect([200, 409]).toContain(restored);
    },
  },
  "a service account deleted while a key of it is made": {
    prepare: async (fixture) => {
      const account = await fixture.send("POST /iam/v2/service-accounts", { body: { display_name: "app" } });
      const { id } = await fixture.makeCluster("a");
      return [
        { line: `DELETE /iam/v2/service-accounts/${account.json.id}` },
        { line: "POST /iam/v2/api-keys", body: { spec: { owner: { id: account.json.id }, resource: { id } } } },
        { line: "POST /iam/v2/api-keys", body: { spec: { owner: { id: account.json.id } } } },
      ];
    },
    expect: ([deleted, ...keyed]) => {
      expect(deleted).toBe(204);
      for (const status of keyed) expect([202, 404, 409]).toContain(status);
    },
  },
  "an environment deleted while a cluster is made in it": {
    prepare: async (fixture) => {
      const made = await fixture.send("POST /org/v2/environments", { body: { display_name: "test" } });
      return [{ line: `DELETE /org/v2/environments/${made.json.id}` }, makeCluster("a", made.json.id)];
    },
    expect: ([deleted, created]) => {
      expect([204, 409]).toContain(deleted);
      expect([202, 404]).toContain(created);
      // Never a cluster in an environment that is gone.
      expect([deleted, created]).not.toEqual([204, 202]);
    },
  },
  "a key revoked twice": {
    prepare: async (fixture) => {
      const { id } = await fixture.makeCluster("a");
      const { keyId } = await fixture.makeKey({ resource: { id } });
      return Array.from({ length: 2 }, () => ({ line: `DELETE /iam/v2/api-keys/${keyId}` }));
    },
    expect: (statuses) => {
      expect(statuses).toContain(204);
      for (const status of statuses) expect([204, 404]).toContain(status);
    },
  },
};

const seeds = 25;

test.each(Object.entries(races))("%s", async (name, race) => {
  for (let seed = 1; seed <= seeds; seed++) {
    const what = `${name}, seed ${seed}`;
    const fixture = await ApiFixture.start(seed);
    const { time } = fixture;
    const lines = await race.prepare(fixture);
    const slowPlane = (number: number) => {
      const slow = { timers: time, random: seededRandom(seed * 1_000 + number) };
      const actor = new Actor({ slow });
      return fixture.openPlane(actor.through(fixture.controlItems), actor.through(fixture.logItems));
    };
    const calls = lines.map((call, number) => fixture.begin(call.line, call, new ProvisioningApi(slowPlane(number))));
    // Marks are old enough for it only when a call hangs; it settles what it finds all the same.
    const background = reconcile(slowPlane(99));
    const answers = await time.until(Promise.all(calls));
    await time.until(background);
    race.expect(
      answers.map(({ status }) => status),
      answers,
    );
    await time.pass(1_000_000);
    for (let run = 0; run < 3; run++) await time.until(reconcile(fixture.plane));
    await expectSettled(fixture, "org-operator", what);
  }
});

test("a call that hung for a day finds itself overtaken", async () => {
  const fixture = await ApiFixture.start();
  const { time } = fixture;
  const { id, environment } = await fixture.makeCluster("a");
  // It dies at the moment of its entry in the log, but its process wakes up: the put arrives a day later.
  let wake: () => void = () => undefined;
  const asleep = new Promise<void>((resolve) => {
    wake = resolve;
  });
  let hung = false;
  const plane = fixture.openPlane(fixture.controlItems, {
    get: (key) => fixture.logItems.get(key),
    query: (range) => fixture.logItems.query(range),
    put: async (item, condition) => {
      if (!hung) {
        hung = true;
        await asleep;
      }
      return fixture.logItems.put(item, condition);
    },
    delete: (key, condition) => fixture.logItems.delete(key, condition),
  });
  const line = `PATCH /cmk/v2/clusters/${id}`;
  const body = { spec: { display_name: "b" } };
  const slow = fixture.begin(line, { body }, new ProvisioningApi(plane));
  await time.pass(86_400_000);
  await time.until(reconcile(fixture.plane));
  expect((await fixture.send(`DELETE /cmk/v2/clusters/${id}?environment=${environment}`)).status).toBe(204);
  wake();
  await time.until(slow);
  await time.pass(1_000_000);
  for (let run = 0; run < 3; run++) await time.until(reconcile(fixture.plane));
  await expectSettled(fixture, "org-operator", "hung");
  const image = await Promise.all(["cell-1", "cell-2"].map((cell) => fixture.image(cell)));
  expect(image.map((one) => one.logicalClusters.get(id)?.closedMs).find((ms) => ms !== undefined)).toBeGreaterThan(0);
});
