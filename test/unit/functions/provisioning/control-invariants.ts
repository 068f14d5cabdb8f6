import { expect } from "vitest";
import type { ControlKind } from "../../../../shared/control/control-kind.ts";
import { apiKeyKind, apiKeysOf } from "../../../../shared/control/items/api-key-item.ts";
import { clusterKind, clustersOf } from "../../../../shared/control/items/cluster-item.ts";
import { environmentKind, environmentsOf } from "../../../../shared/control/items/environment-item.ts";
import type { NameClaims } from "../../../../shared/control/items/fields.ts";
import { keyLocatorKind, keyLocators } from "../../../../shared/control/items/key-locator-item.ts";
import {
  type NameScope,
  nameReservationId,
  nameReservationKind,
  namesOf,
} from "../../../../shared/control/items/name-reservation-item.ts";
import { serviceAccountKind, serviceAccountsOf } from "../../../../shared/control/items/service-account-item.ts";
import { work, workKind } from "../../../../shared/control/items/work-item.ts";
import { type ApiFixture, fleet } from "./api-fixture.ts";

async function everything<T extends object>(
  fixture: ApiFixture,
  kind: ControlKind<T>,
  collection: string,
): Promise<readonly T[]> {
  const read = async () => {
    const values: T[] = [];
    for await (const { value } of fixture.plane.store.all(kind, collection)) values.push(value);
    return values;
  };
  return fixture.time.until(read());
}

/**
 * What must hold once everything is settled: items say what the logs' images say, there is no half-made cluster, no key
 * without cluster or owner, no name that two have, and nothing left to do now.
 */
export async function expectSettled(fixture: ApiFixture, organization: string, what: string): Promise<void> {
  const nowMs = fixture.time.wallMs();
  const clusters = await everything(fixture, clusterKind, clustersOf(organization));
  const keys = await everything(fixture, apiKeyKind, apiKeysOf(organization));
  const accounts = await everything(fixture, serviceAccountKind, serviceAccountsOf(organization));
  const environments = await everything(fixture, environmentKind, environmentsOf(organization));
  const images = await Promise.all(fleet.cells.map(async ({ cell }) => [cell, await fixture.image(cell)] as const));

  const wanted = clusters
    .filter(({ wish }) => wish !== "gone")
    .map(({ id, cell, displayName, wish }) => `${cell} ${id} ${displayName} ${wish}`);
  const present = images.flatMap(([cell, image]) =>
    [...image.logicalClusters.values()].map(
      ({ lkc, name, closedMs }) => `${cell} ${lkc} ${name} ${closedMs === undefined ? "open" : "closed"}`,
    ),
  );
  expect(present.toSorted(), `${what}: clusters of the logs`).toEqual(wanted.toSorted());

  const wantedKeys = keys
    .filter(({ wish, cluster }) => wish === "active" && cluster !== undefined)
    .map(({ id, cell, cluster, verifier }) => `${cell} ${id} ${cluster} ${verifier}`);
  const presentKeys = images.flatMap(([cell, image]) =>
    [...image.apiKeys.values()].map(({ keyId, lkc, verifier }) => `${cell} ${keyId} ${lkc} ${verifier}`),
  );
  expect(presentKeys.toSorted(), `${what}: keys of the logs`).toEqual(wantedKeys.toSorted());

  for (const { id, wish, owner, cluster } of keys) {
    if (wish !== "active") continue;
    expect(accounts.find((account) => account.id === owner)?.wish, `${what}: owner of ${id}`).toBe("active");
    if (cluster !== undefined) {
      expect(clusters.find((one) => one.id === cluster)?.wish, `${what}: cluster of ${id}`).not.toBe("gone");
    } else {
      const locator = await fixture.time.until(fixture.plane.store.get(keyLocatorKind, keyLocators, id));
      expect(locator?.value.organization, `${what}: locator of ${id}`).toBe(organization);
    }
  }
  for (const { id, wish, environment } of clusters) {
    if (wish === "open") {
      expect(environments.find((one) => one.id === environment)?.wish, `${what}: environment of ${id}`).toBe("active");
    }
  }

  await expectNames(
    fixture,
    what,
    clusters.map((item) => ({ ...item, scope: { organization, type: "cluster", within: item.environment } })),
  );
  await expectNames(
    fixture,
    what,
    accounts.map((item) => ({ ...item, scope: { organization, type: "service-account", within: "" } })),
  );
  await expectNames(
    fixture,
    what,
    environments.map((item) => ({ ...item, scope: { organization, type: "environment", within: "" } })),
  );

  const marks = await everything(fixture, workKind, work);
  expect(
    marks.filter(({ dueMs }) => dueMs <= nowMs),
    `${what}: left to do`,
  ).toEqual([]);
}

async function expectNames(
  fixture: ApiFixture,
  what: string,
  items: readonly {
    readonly id: string;
    readonly wish: string;
    readonly displayName: string;
    readonly names: NameClaims;
    readonly scope: NameScope;
  }[],
): Promise<void> {
  const standing = items.filter(({ wish }) => wish === "open" || wish === "active");
  const names = standing.map(({ displayName, scope }) => `${scope.within} ${displayName}`);
  expect(new Set(names).size, `${what}: names are unique`).toBe(names.length);
  for (const { id, displayName, names: claims, scope } of standing) {
    expect(claims, `${what}: ${id}`).toEqual({
      held: { text: displayName, generation: expect.any(Number) },
      generation: expect.any(Number),
    });
    const reservation = await fixture.time.until(
      fixture.plane.store.get(nameReservationKind, namesOf(scope.organization), nameReservationId(scope, displayName)),
    );
    expect([reservation?.value.holder, reservation?.value.generation], `${what}: name of ${id}`).toEqual([
      id,
      claims.held?.generation,
    ]);
  }
}
