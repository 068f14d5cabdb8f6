import { describe, expect, test } from "vitest";
import { ProvisioningApi } from "../../../../functions/provisioning/provisioning-api.ts";
import { reconcile } from "../../../../functions/provisioning/reconcile.ts";
import { ApiFixture, fleet, graceMs } from "./api-fixture.ts";

const clusterOf = async (fixture: ApiFixture, id: string) =>
  (await Promise.all(fleet.cells.map(({ cell }) => fixture.image(cell))))
    .map((image) => image.logicalClusters.get(id))
    .find((cluster) => cluster !== undefined);

const keyOf = async (fixture: ApiFixture, id: string) =>
  (await Promise.all(fleet.cells.map(({ cell }) => fixture.image(cell))))
    .map((image) => image.apiKeys.get(id))
    .find((key) => key !== undefined);

describe("clusters", () => {
  test("one is made, read, listed, renamed and deleted; the log of its cell says the same", async () => {
    const fixture = await ApiFixture.start();
    const made = await fixture.send("POST /cmk/v2/clusters", {
      body: { spec: { display_name: "orders", availability: "LOW", config: { kind: "Standard" } } },
    });
    expect(made).toMatchObject({
      status: 202,
      json: {
        api_version: "cmk/v2",
        kind: "Cluster",
        status: { phase: "PROVISIONED" },
        spec: {
          display_name: "orders",
          cloud: "AWS",
          region: "us-east-1",
          config: { kind: "Standard" },
          kafka_bootstrap_endpoint: `SASL_SSL://${made.json.id}.example.com:9092`,
        },
      },
    });
    const { id } = made.json;
    const environment = made.json.spec.environment?.id;
    expect(await clusterOf(fixture, id)).toMatchObject({ name: "orders" });
    const at = `/cmk/v2/clusters/${id}?environment=${environment}`;
    expect((await fixture.send(`GET ${at}`)).json).toEqual(made.json);
    expect((await fixture.send(`GET /cmk/v2/clusters?environment=${environment}`)).json).toMatchObject({
      kind: "ClusterList",
      metadata: { total_size: 1 },
      data: [made.json],
    });

    const renamed = await fixture.send(`PATCH /cmk/v2/clusters/${id}`, { body: { spec: { display_name: "sales" } } });
    expect(renamed).toMatchObject({ status: 200, json: { spec: { display_name: "sales" } } });
    expect(await clusterOf(fixture, id)).toMatchObject({ name: "sales" });
    // The name it had is free, the one it has is not.
    await fixture.makeCluster("orders");
    const taken = await fixture.send("POST /cmk/v2/clusters", { body: { spec: { display_name: "sales" } } });
    expect([taken.status, taken.json.errors[0]?.source]).toEqual([409, { pointer: "/spec/display_name" }]);

    expect((await fixture.send(`DELETE ${at}`)).status).toBe(204);
    expect((await clusterOf(fixture, id))?.closedMs).toBeGreaterThan(0);
    expect((await fixture.send(`GET ${at}`)).status).toBe(404);
    expect((await fixture.send(`DELETE ${at}`)).status).toBe(404);
    expect((await fixture.send(`PATCH /cmk/v2/clusters/${id}`, { body: { spec: { display_name: "x" } } })).status).toBe(
      404,
    );
  });

  test("a protected one refuses to be deleted", async () => {
    const fixture = await ApiFixture.start();
    const { id, environment } = await fixture.makeCluster("orders");
    const patch = (deletion_protection: boolean) =>
      fixture.send(`PATCH /cmk/v2/clusters/${id}`, { body: { spec: { deletion_protection } } });
    expect((await patch(true)).json.spec).toMatchObject({ deletion_protection: true });
    expect((await fixture.send(`DELETE /cmk/v2/clusters/${id}?environment=${environment}`)).status).toBe(409);
    await patch(false);
    expect((await fixture.send(`DELETE /cmk/v2/clusters/${id}?environment=${environment}`)).status).toBe(204);
  });

  test("an operator restores a deleted one with its keys, until its grace period is over", async () => {
    const fixture = await ApiFixture.start();
    const { id, environment } = await fixture.makeCluster("orders");
    const key = await fixture.makeKey({ resource: { id } });
    const at = `/cmk/v2/clusters/${id}?environment=${environment}`;
    const restore = `POST /balafon/v1/clusters/${id}/restore?environment=${environment}`;
    await fixture.send(`DELETE ${at}`);
    const deleted = await fixture.send(`GET /cmk/v2/clusters?environment=${environment}&deleted=true`);
    expect(deleted.json.data).toMatchObject([{ id, metadata: { deleted_at: expect.any(String) } }]);
    await fixture.time.pass(graceMs - 1_000);
    await fixture.time.until(reconcile(fixture.plane));
    expect((await fixture.send(restore)).status).toBe(200);
    expect((await clusterOf(fixture, id))?.closedMs).toBeUndefined();
    expect(await keyOf(fixture, key.keyId)).toBeDefined();
    expect((await fixture.send(`GET ${at}`)).status).toBe(200);

    await fixture.send(`DELETE ${at}`);
    await fixture.time.pass(graceMs + 1_000);
    await fixture.time.until(reconcile(fixture.plane));
    expect((await fixture.send(restore)).status).toBe(404);
    expect(await clusterOf(fixture, id)).toBeUndefined();
    expect(await keyOf(fixture, key.keyId)).toBeUndefined();
    expect((await fixture.send(`GET /iam/v2/api-keys/${key.keyId}`)).status).toBe(404);
    // In the end nothing of it is left.
    await fixture.time.pass(graceMs);
    for (let run = 0; run < 3; run++) await fixture.time.until(reconcile(fixture.plane));
    for (const collection of ["work", "cluster/org-operator"]) {
      const page = await fixture.controlItems.query({ partition: collection, from: "!", limit: 10 });
      expect(page).toMatchObject({ items: [] });
    }
  });

  test("a restored one needs its name and its environment", async () => {
    const fixture = await ApiFixture.start();
    const other = await fixture.send("POST /org/v2/environments", { body: { display_name: "test" } });
    const body = (name: string) => ({ body: { spec: { display_name: name, environment: { id: other.json.id } } } });
    const first = await fixture.send("POST /cmk/v2/clusters", body("orders"));
    const restore = `POST /balafon/v1/clusters/${first.json.id}/restore?environment=${other.json.id}`;
    await fixture.send(`DELETE /cmk/v2/clusters/${first.json.id}?environment=${other.json.id}`);
    const second = await fixture.send("POST /cmk/v2/clusters", body("orders"));
    expect(second.status).toBe(202);
    expect((await fixture.send(restore)).status).toBe(409);
    expect((await clusterOf(fixture, first.json.id))?.closedMs).toBeGreaterThan(0);
    // An environment with open clusters stays, one with closed ones goes.
    expect((await fixture.send(`DELETE /org/v2/environments/${other.json.id}`)).status).toBe(409);
    expect((await fixture.send(`GET /org/v2/environments/${other.json.id}`)).status).toBe(200);
    await fixture.send(`DELETE /cmk/v2/clusters/${second.json.id}?environment=${other.json.id}`);
    expect((await fixture.send(`DELETE /org/v2/environments/${other.json.id}`)).status).toBe(204);
    expect((await fixture.send(restore)).status).toBe(409);
  });

  test("what this fleet has not is refused with its place", async () => {
    const fixture = await ApiFixture.start();
    const cases: readonly [object, number, string][] = [
      [{ region: "eu-west-1" }, 400, "/spec/region"],
      [{ cloud: "GCP" }, 400, "/spec/cloud"],
      [{ config: { kind: "Dedicated", cku: 2 } }, 400, "/spec/config/cku"],
      [{ config: { kind: "Dedicated" } }, 400, "/spec/config/kind"],
      [{ network: { id: "n-1" } }, 400, "/spec/network"],
      [{ environment: { id: "env-nowhere" } }, 404, "/spec/environment/id"],
    ];
    for (const [spec, status, pointer] of cases) {
      const refused = await fixture.send("POST /cmk/v2/clusters", { body: { spec: { display_name: "x", ...spec } } });
      expect([refused.status, refused.json.errors[0]?.source]).toEqual([status, { pointer }]);
    }
  });

  test("none is placed where nothing is open", async () => {
    const fixture = await ApiFixture.start();
    const plane = fixture.openPlane(undefined, undefined, [{ cell: "cell-1", state: "draining", kafkaBootstrap: "x" }]);
    const full = await fixture.send(
      "POST /cmk/v2/clusters",
      { body: { spec: { display_name: "x" } } },
      new ProvisioningApi(plane),
    );
    expect([full.status, full.json.errors[0]?.code]).toEqual([402, "limit_reached"]);
  });
});

describe("keys", () => {
  test("a cluster key is in the log of its cell, with its owner and expiry; its secret is told once", async () => {
    const fixture = await ApiFixture.start();
    const { id } = await fixture.makeCluster("orders");
    const account = await fixture.send("POST /iam/v2/service-accounts", { body: { display_name: "app" } });
    const spec = { owner: { id: account.json.id }, resource: { id }, expires_at: "2030-01-01T00:00:00Z" };
    const made = await fixture.send("POST /iam/v2/api-keys", { body: { spec } });
    expect(made.json.spec.secret).toMatch(/^bls1_/);
    expect(await keyOf(fixture, made.json.id)).toMatchObject({
      lkc: id,
      principal: `User:${account.json.id}`,
      expiresMs: Date.parse("2030-01-01T00:00:00Z"),
    });
    const read = await fixture.send(`GET /iam/v2/api-keys/${made.json.id}`);
    expect(read.json.spec).not.toHaveProperty("secret");
    const every = await fixture.controlItems.query({ partition: "api-key/org-operator", from: "!", limit: 100 });
    expect(JSON.stringify(every)).not.toContain(made.json.spec.secret);
    const renamed = await fixture.send(`PATCH /iam/v2/api-keys/${made.json.id}`, {
      body: { spec: { description: "d" } },
    });
    expect(renamed.json.spec).toMatchObject({ description: "d", owner: { id: account.json.id } });
    const list = (query: string) => fixture.send(`GET /iam/v2/api-keys?${query}`);
    expect((await list(`spec.owner=${account.json.id}`)).json.data).toHaveLength(1);
    expect((await list(`spec.resource=${id}`)).json.data).toHaveLength(1);
    expect((await list("spec.resource=lkc-other")).json.data).toHaveLength(0);
    expect((await fixture.send(`DELETE /iam/v2/api-keys/${made.json.id}`)).status).toBe(204);
    expect(await keyOf(fixture, made.json.id)).toBeUndefined();
    expect((await fixture.send(`DELETE /iam/v2/api-keys/${made.json.id}`)).status).toBe(404);
  });

  test("a cloud key calls the API until it is revoked or expires; a cluster key never does", async () => {
    const fixture = await ApiFixture.start();
    const { id } = await fixture.makeCluster("orders");
    const list = "GET /iam/v2/api-keys";
    const cloud = await fixture.makeKey({ expires_at: new Date(fixture.time.wallMs() + 60_000).toISOString() });
    expect((await fixture.send(list, { as: cloud })).status).toBe(200);
    expect((await fixture.send(list, { as: { ...cloud, secret: "bls1_wrong" } })).status).toBe(401);
    await fixture.time.pass(60_000);
    expect((await fixture.send(list, { as: cloud })).status).toBe(401);
    const second = await fixture.makeKey();
    expect((await fixture.send(`DELETE /iam/v2/api-keys/${second.keyId}`)).status).toBe(204);
    expect((await fixture.send(list, { as: second })).status).toBe(401);
    const cluster = await fixture.makeKey({ resource: { id } });
    expect((await fixture.send(list, { as: cluster })).status).toBe(401);
  });

  test("a service account takes its keys with it", async () => {
    const fixture = await ApiFixture.start();
    const { id } = await fixture.makeCluster("orders");
    const account = await fixture.send("POST /iam/v2/service-accounts", { body: { display_name: "app" } });
    const owner = { id: account.json.id };
    const [inCluster, cloud] = [await fixture.makeKey({ owner, resource: { id } }), await fixture.makeKey({ owner })];
    expect((await fixture.send(`DELETE /iam/v2/service-accounts/${owner.id}`)).status).toBe(204);
    expect(await keyOf(fixture, inCluster.keyId)).toBeUndefined();
    expect((await fixture.send("GET /iam/v2/api-keys", { as: cloud })).status).toBe(401);
    const refused = await fixture.send("POST /iam/v2/api-keys", { body: { spec: { owner } } });
    expect([refused.status, refused.json.errors[0]?.source]).toEqual([404, { pointer: "/spec/owner/id" }]);
    // Its name is free again.
    const again = await fixture.send("POST /iam/v2/service-accounts", { body: { display_name: "app" } });
    expect(again.status).toBe(201);
  });
});

describe("who may what", () => {
  test("what belongs to another organization is not there", async () => {
    const fixture = await ApiFixture.start();
    const [first, second] = [await fixture.makeTenant("first"), await fixture.makeTenant("second")];
    const { id, environment } = await fixture.makeCluster("orders", first);
    const key = await fixture.makeKey({ resource: { id } }, first);
    const foreign = [
      `GET /cmk/v2/clusters/${id}?environment=${environment}`,
      `DELETE /cmk/v2/clusters/${id}?environment=${environment}`,
      `GET /cmk/v2/clusters?environment=${environment}`,
      `GET /iam/v2/api-keys/${key.keyId}`,
      `DELETE /iam/v2/api-keys/${key.keyId}`,
      `GET /org/v2/environments/${environment}`,
      `GET /org/v2/organizations/${first.organization}`,
    ];
    for (const line of foreign) expect([line, (await fixture.send(line, { as: second })).status]).toEqual([line, 404]);
    const keyed = await fixture.send("POST /iam/v2/api-keys", { body: { spec: { resource: { id } } }, as: second });
    expect(keyed.status).toBe(404);
    expect((await fixture.send("GET /iam/v2/api-keys", { as: second })).json.data).toHaveLength(1);
    // Names are an organization's own.
    await fixture.makeCluster("orders", second);
    const headers = { "balafon-organization": first.organization };
    expect((await fixture.send("GET /iam/v2/api-keys", { as: second, headers })).status).toBe(403);
    expect((await fixture.send("GET /iam/v2/api-keys", { headers })).json.data).toHaveLength(2);
  });

  test("tenants cannot do what operators do", async () => {
    const fixture = await ApiFixture.start();
    const tenant = await fixture.makeTenant("first");
    const { id, environment } = await fixture.makeCluster("orders", tenant);
    const lines = [
      "GET /balafon/v1/audit-entries",
      "GET /balafon/v1/cells",
      "POST /balafon/v1/organizations",
      `POST /balafon/v1/clusters/${id}/restore?environment=${environment}`,
      `GET /cmk/v2/clusters?environment=${environment}&deleted=true`,
    ];
    for (const line of lines) expect([line, (await fixture.send(line, { as: tenant })).status]).toEqual([line, 403]);
    expect((await fixture.send("GET /org/v2/organizations", { as: tenant })).json.data).toHaveLength(1);
    expect((await fixture.send("GET /org/v2/organizations")).json.data).toHaveLength(2);
  });

  test("without credentials, or with malformed ones, nothing is answered but 401", async () => {
    const fixture = await ApiFixture.start();
    for (const authorization of ["", "Basic", "Basic !!!", "Bearer x", "Basic YQ==", `Basic ${"A".repeat(5_000)}`]) {
      const answer = await fixture.send("GET /iam/v2/api-keys", { headers: { authorization } });
      expect([answer.status, answer.headers["www-authenticate"]]).toEqual([401, expect.stringContaining("Basic")]);
    }
  });

  test("guessing is slowed down by address, requests by key", async () => {
    const fixture = await ApiFixture.start();
    const wrong = { ...fixture.operator, secret: "bls1_wrong" };
    const statuses = new Set<number>();
    for (let attempt = 0; attempt < 30; attempt++) {
      statuses.add((await fixture.send("GET /iam/v2/api-keys", { as: wrong })).status);
    }
    expect(statuses).toEqual(new Set([401, 429]));
    await fixture.time.pass(60_000);
    const api = new ProvisioningApi(fixture.plane, { perSecond: 1, burst: 2 });
    const call = () => fixture.send("GET /iam/v2/api-keys", {}, api);
    expect((await call()).headers).toMatchObject({ "x-ratelimit-limit": "2", "x-ratelimit-remaining": "1" });
    await call();
    const refused = await call();
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "1"]);
    await fixture.time.pass(1_000);
    expect((await call()).status).toBe(200);
  });
});

describe("lists", () => {
  test("pages are by id, and stay right while objects come and go", async () => {
    const fixture = await ApiFixture.start();
    const made: string[] = [];
    for (let number = 0; number < 12; number++) {
      const body = { display_name: `app-${number}` };
      made.push((await fixture.send("POST /iam/v2/service-accounts", { body })).json.id);
    }
    const seen: string[] = [];
    let next: string | undefined = "http://api.test/iam/v2/service-accounts?page_size=5";
    let gone = "";
    while (next !== undefined) {
      const page = await fixture.send(`GET ${next}`);
      expect(page.json.data.length).toBeLessThanOrEqual(5);
      seen.push(...page.json.data.map(({ id }) => id));
      next = page.json.metadata.next;
      if (gone === "") {
        // The very one that the next page begins behind, and one that is new.
        gone = seen.at(-1) ?? "";
        await fixture.send(`DELETE /iam/v2/service-accounts/${gone}`);
        await fixture.send("POST /iam/v2/service-accounts", { body: { display_name: "late" } });
      }
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(made.filter((id) => !seen.includes(id))).toEqual([]);
    expect(seen.toSorted()).toEqual(seen);
  });

  test("a token of another list, or none at all, is refused", async () => {
    const fixture = await ApiFixture.start();
    const page = await fixture.send("GET /iam/v2/service-accounts?page_size=1");
    await fixture.send("POST /iam/v2/service-accounts", { body: { display_name: "app" } });
    const first = await fixture.send("GET /iam/v2/service-accounts?page_size=1");
    expect(page.json.metadata.next).toBeUndefined();
    const token = new URL(first.json.metadata.next ?? "").searchParams.get("page_token");
    for (const line of [`/iam/v2/api-keys?page_token=${token}`, "/iam/v2/service-accounts?page_token=nonsense"]) {
      const refused = await fixture.send(`GET ${line}`);
      expect([refused.status, refused.json.errors[0]?.source]).toEqual([422, { parameter: "page_token" }]);
    }
  });
});

describe("validation", () => {
  test("every problem is told with its place, and unknown fields are refused", async () => {
    const fixture = await ApiFixture.start();
    const sources = async (line: string, body?: unknown) => {
      const answer = await fixture.send(line, body === undefined ? {} : { body });
      return [answer.status, ...answer.json.errors.map(({ source }) => source?.["pointer"] ?? source?.["parameter"])];
    };
    expect(await sources("POST /cmk/v2/clusters", { spec: { display_name: "", colour: "red" }, more: 1 })).toEqual([
      400,
      "/more",
      "/spec/colour",
      "/spec/display_name",
      "/spec/display_name",
    ]);
    expect(await sources("POST /cmk/v2/clusters", {})).toEqual([400, "/spec"]);
    expect(await sources("POST /cmk/v2/clusters", [])).toEqual([400, ""]);
    expect(await sources("GET /cmk/v2/clusters")).toEqual([400, "environment"]);
    expect(await sources("GET /iam/v2/api-keys?page_size=0")).toEqual([400, "page_size"]);
    expect(await sources("GET /iam/v2/api-keys?page_size=ten")).toEqual([400, "page_size"]);
    expect(await sources("GET /iam/v2/api-keys?colour=red")).toEqual([400, "colour"]);
    expect(await sources("GET /iam/v2/api-keys?page_size=1&page_size=2")).toEqual([400, "page_size"]);
    expect(await sources("GET /iam/v2/api-keys/NO-KEY")).toEqual([404, "id"]);
  });

  test("what is not offered is said so, in the same form", async () => {
    const fixture = await ApiFixture.start();
    const cases: readonly [string, number][] = [
      ["GET /kafka-quotas/v1/client-quotas", 404],
      ["POST /kafka/v3/clusters/lkc-abc/topics", 404],
      ["GET /nowhere", 404],
      ["PUT /cmk/v2/clusters", 405],
      ["GET /cmk/v2/clusters/%E0%A4%A", 404],
    ];
    for (const [line, status] of cases) {
      const answer = await fixture.send(line);
      expect([line, answer.status, answer.json.errors[0]?.detail !== ""]).toEqual([line, status, true]);
    }
    expect((await fixture.send("PUT /cmk/v2/clusters")).headers["allow"]).toBe("GET, POST");
    const headers = { "content-type": "text/plain" };
    expect((await fixture.send("POST /cmk/v2/clusters", { body: {}, headers })).status).toBe(415);
    const body = { spec: { display_name: "x".repeat(70_000) } };
    expect((await fixture.send("POST /cmk/v2/clusters", { body })).status).toBe(413);
  });
});

describe("a POST with an Idempotency-Key", () => {
  test("sent again it finds what the first made, without the secret", async () => {
    const fixture = await ApiFixture.start();
    const headers = { "idempotency-key": "once" };
    const cluster = () => fixture.send("POST /cmk/v2/clusters", { body: { spec: { display_name: "a" } }, headers });
    const [first, again] = [await cluster(), await cluster()];
    expect(again).toMatchObject({ status: 202, json: { id: first.json.id } });
    const key = () => fixture.send("POST /iam/v2/api-keys", { body: { spec: {} }, headers });
    const [made, found] = [await key(), await key()];
    expect(found.json.id).toBe(made.json.id);
    expect([made.json.spec.secret, found.json.spec.secret]).toEqual([expect.stringContaining("bls1_"), undefined]);
    const other = await fixture.send("POST /iam/v2/api-keys", { body: { spec: { description: "x" } }, headers });
    expect([other.status, other.json.errors[0]?.source]).toEqual([422, { parameter: "Idempotency-Key" }]);
    await fixture.time.pass(600_000);
    await fixture.time.until(reconcile(fixture.plane));
    expect((await key()).json.id).not.toBe(made.json.id);
  });
});

test("the audit log has every change with its outcome, and no secret", async () => {
  const fixture = await ApiFixture.start();
  const tenant = await fixture.makeTenant("first");
  await fixture.time.pass(1);
  const { id } = await fixture.makeCluster("orders", tenant);
  await fixture.time.pass(1);
  const key = await fixture.makeKey({ resource: { id } }, tenant);
  await fixture.time.pass(1);
  await fixture.send("POST /cmk/v2/clusters", { body: { spec: { display_name: "orders" } }, as: tenant });
  const log = await fixture.send("GET /balafon/v1/audit-entries?page_size=100");
  expect(log.json.data.slice(0, 3)).toMatchObject([
    { method: "POST", path: "/cmk/v2/clusters", outcome: "refused", status: 409, organization: tenant.organization },
    { path: "/iam/v2/api-keys", outcome: "done", object: key.keyId, source_ip: "192.0.2.1", key: tenant.keyId },
    { path: "/cmk/v2/clusters", outcome: "done", object: id, status: 202 },
  ]);
  expect(JSON.stringify(log.json)).not.toContain(key.secret);
  await fixture.time.pass(91 * 86_400_000);
  await fixture.time.until(reconcile(fixture.plane));
  expect((await fixture.send("GET /balafon/v1/audit-entries")).json.data).toEqual([]);
});
