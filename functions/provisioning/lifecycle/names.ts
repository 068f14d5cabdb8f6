/**
 * Names are unique without a transaction: an object first writes that it wants a name, then reserves it, then writes
 * that it holds it. A reservation counts only while its holder claims the name in that generation, so one that a crash
 * left is taken over by the next, and whoever comes back late finds his generation overtaken.
 */
import { clusterKind, clustersOf } from "../../../shared/control/items/cluster-item.ts";
import { environmentKind, environmentsOf } from "../../../shared/control/items/environment-item.ts";
import type { NameClaim, NameClaims } from "../../../shared/control/items/fields.ts";
import {
  type NameReservationItem,
  type NameScope,
  nameReservationId,
  nameReservationKind,
  namesOf,
} from "../../../shared/control/items/name-reservation-item.ts";
import { serviceAccountKind, serviceAccountsOf } from "../../../shared/control/items/service-account-item.ts";
import type { ControlPlane } from "../control-plane.ts";
import { reserveAttemptsMax } from "../limits.ts";

/** `overtaken`: the object has a newer claim than this one: read it again. */
export type Reserved = "won" | "taken" | "overtaken";

export async function reserveName(
  plane: ControlPlane,
  scope: NameScope,
  holder: string,
  claim: NameClaim,
): Promise<Reserved> {
  const { organization, type, within } = scope;
  const wanted: NameReservationItem = {
    organization,
    type,
    within,
    name: claim.text,
    holder,
    generation: claim.generation,
  };
  for (let attempt = 0; attempt < reserveAttemptsMax; attempt++) {
    const present = await plane.store.get(
      nameReservationKind,
      namesOf(organization),
      nameReservationId(scope, claim.text),
    );
    if (present === undefined) {
      if ((await plane.store.create(nameReservationKind, wanted)).kind === "done") return "won";
      continue;
    }
    if (present.value.holder === holder) {
      if (present.value.generation === claim.generation) return "won";
      if (present.value.generation > claim.generation) return "overtaken";
    } else if (await isClaimed(plane, scope, present.value)) {
      return "taken";
    }
    if ((await plane.store.replace(nameReservationKind, present, wanted)).kind === "done") return "won";
  }
  return "overtaken";
}

/** Gives a reservation back if it is still of this claim. */
export async function releaseName(
  plane: ControlPlane,
  scope: NameScope,
  holder: string,
  claim: NameClaim,
): Promise<void> {
  const id = nameReservationId(scope, claim.text);
  const present = await plane.store.get(nameReservationKind, namesOf(scope.organization), id);
  if (present?.value.holder !== holder || present.value.generation !== claim.generation) return;
  // A conflict means that somebody took it over: it is not ours any more.
  await plane.store.remove(nameReservationKind, present);
}

/** The claims of an object that wants a (new) name. */
export function wantName(claims: NameClaims, name: string): NameClaims {
  const generation = claims.generation + 1;
  return { ...claims, wanted: { text: name, generation }, generation };
}

/** The claims once the wanted name is reserved; the one held before is to be given back. */
export function holdWanted({ held, wanted, former, generation }: NameClaims): NameClaims {
  const leaving = held ?? former;
  return {
    generation,
    ...(wanted === undefined ? {} : { held: wanted }),
    ...(leaving === undefined ? {} : { former: leaving }),
  };
}

/** The claims of an object that gives up the name it wanted. */
export function dropWanted({ wanted: _wanted, ...claims }: NameClaims): NameClaims {
  return claims;
}

/** The claims of an object that gives its name back. */
export function leaveName({ held, former, generation }: NameClaims): NameClaims {
  const leaving = held ?? former;
  return { generation, ...(leaving === undefined ? {} : { former: leaving }) };
}

/** The claims once the former name's reservation is gone. */
export function dropFormer({ former: _former, ...claims }: NameClaims): NameClaims {
  return claims;
}

async function isClaimed(plane: ControlPlane, scope: NameScope, reservation: NameReservationItem): Promise<boolean> {
  const claims = await claimsOf(plane, scope, reservation.holder);
  return [claims?.held, claims?.wanted].some(
    (claim) => claim?.text === reservation.name && claim.generation === reservation.generation,
  );
}

/** What the object claims; nothing when it is gone. */
async function claimsOf(plane: ControlPlane, scope: NameScope, id: string): Promise<NameClaims | undefined> {
  const { organization } = scope;
  switch (scope.type) {
    case "cluster":
      return (await plane.store.get(clusterKind, clustersOf(organization), id))?.value.names;
    case "environment":
      return (await plane.store.get(environmentKind, environmentsOf(organization), id))?.value.names;
    case "service-account":
      return (await plane.store.get(serviceAccountKind, serviceAccountsOf(organization), id))?.value.names;
  }
}
