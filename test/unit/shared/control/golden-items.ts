import type { ControlKind } from "../../../../shared/control/control-kind.ts";
import { apiKeyKind } from "../../../../shared/control/items/api-key-item.ts";
import { auditId, auditKind } from "../../../../shared/control/items/audit-item.ts";
import { cellLoadKind } from "../../../../shared/control/items/cell-load-item.ts";
import { clusterKind } from "../../../../shared/control/items/cluster-item.ts";
import { environmentKind } from "../../../../shared/control/items/environment-item.ts";
import { idempotencyKind } from "../../../../shared/control/items/idempotency-item.ts";
import { keyLocatorKind } from "../../../../shared/control/items/key-locator-item.ts";
import { nameReservationKind } from "../../../../shared/control/items/name-reservation-item.ts";
import { organizationKind } from "../../../../shared/control/items/organization-item.ts";
import { serviceAccountKind } from "../../../../shared/control/items/service-account-item.ts";
import { workKind } from "../../../../shared/control/items/work-item.ts";

export interface GoldenItem {
  readonly kind: ControlKind<object>;
  readonly value: object;
  /** Collection, id and JSON as tables in the field hold them. */
  readonly stored: readonly [string, string, string];
}

function golden<T extends object>(kind: ControlKind<T>, value: T, ...stored: GoldenItem["stored"]): GoldenItem {
  return { kind: kind as unknown as ControlKind<object>, value, stored };
}

const organization = "org-a";
const held = { text: "orders", generation: 1 };

/** One of each kind: a test that fails here asks for code that still reads these, not for new samples. */
export const goldenItems: readonly GoldenItem[] = [
  golden(
    organizationKind,
    { id: organization, displayName: "A", operator: false, defaultEnvironment: "env-a", createdMs: 1 },
    "organization",
    "org-a",
    '{"id":"org-a","displayName":"A","operator":false,"defaultEnvironment":"env-a","createdMs":1}',
  ),
  golden(
    environmentKind,
    {
      id: "env-a",
      organization,
      displayName: "default",
      names: { held, generation: 1 },
      isDefault: true,
      createdMs: 1,
      updatedMs: 2,
      wish: "active",
    },
    "environment/org-a",
    "env-a",
    '{"id":"env-a","organization":"org-a","displayName":"default","names":{"held":{"text":"orders","generation":1},"generation":1},"isDefault":true,"createdMs":1,"updatedMs":2,"wish":"active"}',
  ),
  golden(
    serviceAccountKind,
    {
      id: "sa-a",
      organization,
      displayName: "app",
      description: "d",
      names: { wanted: held, generation: 1 },
      createdMs: 1,
      updatedMs: 2,
      wish: "gone",
      goneMs: 3,
      refusal: "name-taken",
    },
    "service-account/org-a",
    "sa-a",
    '{"id":"sa-a","organization":"org-a","displayName":"app","description":"d","names":{"wanted":{"text":"orders","generation":1},"generation":1},"createdMs":1,"updatedMs":2,"wish":"gone","goneMs":3,"refusal":"name-taken"}',
  ),
  golden(
    clusterKind,
    {
      id: "lkc-a23",
      organization,
      environment: "env-a",
      displayName: "orders",
      names: { held: { text: "sales", generation: 2 }, former: held, generation: 2 },
      cell: "cell-1",
      cloud: "AWS",
      region: "us-east-1",
      availability: "MULTI_ZONE",
      config: "Basic",
      deletionProtection: false,
      createdMs: 1,
      updatedMs: 2,
      wish: "closed",
      logged: true,
      made: true,
      closedMs: 3,
    },
    "cluster/org-a",
    "lkc-a23",
    '{"id":"lkc-a23","organization":"org-a","environment":"env-a","displayName":"orders","names":{"held":{"text":"sales","generation":2},"former":{"text":"orders","generation":1},"generation":2},"cell":"cell-1","cloud":"AWS","region":"us-east-1","availability":"MULTI_ZONE","config":"Basic","deletionProtection":false,"createdMs":1,"updatedMs":2,"wish":"closed","logged":true,"made":true,"closedMs":3}',
  ),
  golden(
    apiKeyKind,
    {
      id: "KEY",
      organization,
      owner: "sa-a",
      displayName: "k",
      description: "",
      verifier: "sha256-1$s$h",
      cluster: "lkc-a23",
      cell: "cell-1",
      expiresMs: 9,
      createdMs: 1,
      updatedMs: 2,
      wish: "active",
      settled: true,
    },
    "api-key/org-a",
    "KEY",
    '{"id":"KEY","organization":"org-a","owner":"sa-a","displayName":"k","description":"","verifier":"sha256-1$s$h","cluster":"lkc-a23","cell":"cell-1","expiresMs":9,"createdMs":1,"updatedMs":2,"wish":"active","settled":true}',
  ),
  golden(keyLocatorKind, { id: "KEY", organization }, "key-locator", "KEY", '{"id":"KEY","organization":"org-a"}'),
  golden(
    nameReservationKind,
    { organization, type: "cluster", within: "env-a", name: "orders", holder: "lkc-a23", generation: 1 },
    "name/org-a",
    "cluster/env-a/HBaK2wDSCOQvkzFFKfH6nAQn62MjPO2pWl21K3ASpxk",
    '{"organization":"org-a","type":"cluster","within":"env-a","name":"orders","holder":"lkc-a23","generation":1}',
  ),
  golden(
    workKind,
    { type: "cluster", organization, id: "lkc-a23", dueMs: 5, markedMs: 4 },
    "work",
    "cluster/org-a/lkc-a23",
    '{"type":"cluster","organization":"org-a","id":"lkc-a23","dueMs":5,"markedMs":4}',
  ),
  golden(
    idempotencyKind,
    { id: "d1", request: "d2", objectId: "lkc-a23", createdMs: 1 },
    "idempotency",
    "d1",
    '{"id":"d1","request":"d2","objectId":"lkc-a23","createdMs":1}',
  ),
  golden(
    auditKind,
    {
      id: auditId(1_790_000_000_000, "u"),
      atMs: 1_790_000_000_000,
      organization,
      keyId: "KEY",
      principal: "sa-a",
      method: "POST",
      path: "/cmk/v2/clusters",
      objectId: "lkc-a23",
      sourceIp: "192.0.2.1",
      requestId: "r",
      outcome: "done",
      status: 202,
    },
    "audit",
    "aud-8209999999999-u",
    '{"id":"aud-8209999999999-u","atMs":1790000000000,"organization":"org-a","keyId":"KEY","principal":"sa-a","method":"POST","path":"/cmk/v2/clusters","objectId":"lkc-a23","sourceIp":"192.0.2.1","requestId":"r","outcome":"done","status":202}',
  ),
  golden(
    cellLoadKind,
    { cell: "cell-1", atMs: 1, meanBrokerLoad: 0.25, replicaUtilization: 0, bandwidthUtilization: 1.5 },
    "cell-load",
    "cell-1",
    '{"cell":"cell-1","atMs":1,"meanBrokerLoad":0.25,"replicaUtilization":0,"bandwidthUtilization":1.5}',
  ),
];
