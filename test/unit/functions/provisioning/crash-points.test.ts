/**
 * Every call that changes something, with its process dying at every single write, before and after it is done; the
 * same with writes that nobody answers. Then the reconciler runs, and everything must be as if each call had either been
 * made or not.
 */
import { describe, expect, test } from "vitest";
import { ProvisioningApi } from "../../../../functions/provisioning/provisioning-api.ts";
import { reconcile } from "../../../../functions/provisioning/reconcile.ts";
import { Actor, type WriteFault } from "./actor-store.ts";
import { ApiFixture, graceMs } from "./api-fixture.ts";
import { expectSettled } from "./control-invariants.ts";

interface Scenario {
  /** Makes what the call is about, and says what to call: a line and a body. `reconcile`: run the reconciler instead. */
  prepare(fixture: ApiFixture): Promise<{ readonly line: string; readonly body?: unknown } | "reconcile">;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  "create a cluster": {
    prepare: async () => ({ line: "POST /cmk/v2/clusters", body: { spec: { display_name: "a" } } }),
  },
  "create a cluster with a name that is taken": {
    prepare: async (fixture) => {
      await fixture.makeCluster("a");
      return { line: "POST /cmk/v2/clusters", body: { spec: { display_name: "a" } } };
    },
  },
  "rename a cluster": {
    prepare: async (fixture) => {
      const { id } = await fixture.makeCluster("a");
      return { line: `PATCH /cmk/v2/clusters/${id}`, body: { spec: { display_name: "b", deletion_protection: true } } };
    },
  },
  "rename a cluster to a name that is taken": {
    prepare: async (fixture) => {
      const { id } = await fixture.makeCluster("a");
      await fixture.makeCluster("b");
      return { line: `PATCH /cmk/v2/clusters/${id}`, body: { spec: { display_name: "b" } } };
    },
  },
  "delete a cluster": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      await fixture.makeKey({ resource: { id } });
      return { line: `DELETE /cmk/v2/clusters/${id}?environment=${environment}` };
    },
  },
  "restore a cluster": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      await fixture.makeKey({ resource: { id } });
      await fixture.send(`DELETE /cmk/v2/clusters/${id}?environment=${environment}`);
      return { line: `POST /balafon/v1/clusters/${id}/restore?environment=${environment}` };
    },
  },
  "restore a cluster whose name was taken": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      await fixture.send(`DELETE /cmk/v2/clusters/${id}?environment=${environment}`);
      await fixture.makeCluster("a");
      return { line: `POST /balafon/v1/clusters/${id}/restore?environment=${environment}` };
    },
  },
  "purge a cluster": {
    prepare: async (fixture) => {
      const { id, environment } = await fixture.makeCluster("a");
      await fixture.makeKey({ resource: { id } });
      await fixture.send(`DELETE /cmk/v2/clusters/${id}?environment=${environment}`);
      await fixture.time.pass(graceMs + 1);
      return "reconcile";
    },
  },
  "create a key of a cluster": {
    prepare: async (fixture) => {
      const { id } = await fixture.makeCluster("a");
      return { line: "POST /iam/v2/api-keys", body: { spec: { resource: { id } } } };
    },
  },
  "create a cloud key": { prepare: async () => ({ line: "POST /iam/v2/api-keys", body: { spec: {} } }) },
  "change a key": {
    prepare: async (fixture) => {
      const { keyId } = await fixture.makeKey();
      return { line: `PATCH /iam/v2/api-keys/${keyId}`, body: { spec: { description: "d" } } };
    },
  },
  "revoke a key of a cluster": {
    prepare: async (fixture) => {
      const { id } = await fixture.makeCluster("a");
      const { keyId } = await fixture.makeKey({ resource: { id } });
      return { line: `DELETE /iam/v2/api-keys/${keyId}` };
    },
  },
  "revoke a cloud key": {
    prepare: async (fixture) => ({ line: `DELETE /iam/v2/api-keys/${(await fixture.makeKey()).keyId}` }),
  },
  "create a service account": {
    prepare: async () => ({ line: "POST /iam/v2/service-accounts", body: { display_name: "app" } }),
  },
  "rename a service account": {
    prepare: async (fixture) => {
      const made = await fixture.send("POST /iam/v2/service-accounts", { body: { display_name: "app" } });
      const body = { display_name: "other", description: "d" };
      return { line: `PATCH /iam/v2/service-accounts/${made.json.id}`, body };
    },
  },
  "delete a service account with its keys": {
    prepare: async (fixture) => {
      const { id } = await fixture.makeCluster("a");
      const made = await fixture.send("POST /iam/v2/service-accounts", { body: { display_name: "app" } });
      const owner = { id: made.json.id };
      await fixture.makeKey({ owner, resource: { id } });
      await fixture.makeKey({ owner });
      return { line: `DELETE /iam/v2/service-accounts/${owner.id}` };
    },
  },
  "create an environment": {
    prepare: async () => ({ line: "POST /org/v2/environments", body: { display_name: "test" } }),
  },
  "delete an environment": {
    prepare: async (fixture) => {
      const made = await fixture.send("POST /org/v2/environments", { body: { display_name: "test" } });
      return { line: `DELETE /org/v2/environments/${made.json.id}` };
    },
  },
  "delete an environment that has a cluster": {
    prepare: async (fixture) => {
      const made = await fixture.send("POST /org/v2/environments", { body: { display_name: "test" } });
      const spec = { display_name: "a", environment: { id: made.json.id } };
      await fixture.send("POST /cmk/v2/clusters", { body: { spec } });
      return { line: `DELETE /org/v2/environments/${made.json.id}` };
    },
  },
  "create an organization": {
    prepare: async () => ({ line: "POST /balafon/v1/organizations", body: { display_name: "tenant" } }),
  },
};

const faultKinds = ["die-before", "die-after", "unanswered-done", "unanswered-lost"] as const;
/** More writes than any call makes: a run that never ends is a bug. */
const writesMax = 120;
/** Longer than marks stay young, and than what was never made is waited for. */
const reconcileAfterMs = 1_000_000;

describe.each(Object.entries(scenarios))("%s", (name, scenario) => {
  test.each(faultKinds)("%s, at every write", async (kind) => {
    let at = 1;
    for (; at <= writesMax; at++) {
      const what = `${name}, ${kind} write ${at}`;
      if (!(await runWith({ at, kind }, scenario, what))) break;
    }
    expect(at, "some write met the fault").toBeGreaterThan(1);
    expect(at, "the call ends").toBeLessThan(writesMax);
  });
});

/** Whether the fault was met. */
async function runWith(fault: WriteFault, scenario: Scenario, what: string): Promise<boolean> {
  const fixture = await ApiFixture.start(fault.at);
  const { time } = fixture;
  const what2 = await scenario.prepare(fixture);
  const actor = new Actor({ fault });
  const plane = fixture.openPlane(actor.through(fixture.controlItems), actor.through(fixture.logItems));
  const run = async (): Promise<number | undefined> => {
    if (what2 === "reconcile") {
      await reconcile(plane);
      return undefined;
    }
    const answer = await fixture.begin(what2.line, what2, new ProvisioningApi(plane));
    return answer.status;
  };
  const status = await time.until(Promise.race([run(), actor.died.then(() => "died" as const)]));
  const met = actor.writes >= fault.at;
  // A write of which nobody says what became of it is settled within the call.
  if (status !== "died" && what2 !== "reconcile") expect(status, what).toBeLessThan(500);
  await time.pass(reconcileAfterMs);
  for (let runs = 0; runs < 3; runs++) {
    const { failed } = await time.until(reconcile(fixture.plane));
    expect(failed, what).toEqual([]);
  }
  await expectSettled(fixture, "org-operator", what);
  if (what2 !== "reconcile") {
    // Whoever sends it again gets a clear answer, and breaks nothing.
    expect((await fixture.send(what2.line, what2)).status, what).toBeLessThan(500);
    await expectSettled(fixture, "org-operator", `${what}, sent again`);
  }
  return met;
}
