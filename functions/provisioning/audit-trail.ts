import { type AuditItem, auditId, auditKind } from "../../shared/control/items/audit-item.ts";
import { randomUuid } from "../../shared/ports/random.ts";
import type { ApiRequest } from "./api-request.ts";
import type { Caller } from "./call.ts";
import type { ControlPlane } from "./control-plane.ts";

/** One change in the audit log: written before it begins, so that none goes unrecorded, and once more when it ended. */
export class AuditEntry {
  readonly #plane: ControlPlane;
  readonly #item: AuditItem;

  private constructor(plane: ControlPlane, item: AuditItem) {
    this.#plane = plane;
    this.#item = item;
  }

  static async begin(
    plane: ControlPlane,
    request: ApiRequest,
    who: { readonly caller: Caller; readonly organization: string; readonly objectId: string },
  ): Promise<AuditEntry> {
    const atMs = plane.clock.wallMs();
    const item: AuditItem = {
      id: auditId(atMs, randomUuid(plane.random)),
      atMs,
      organization: who.organization,
      keyId: who.caller.keyId,
      principal: who.caller.owner,
      method: request.method,
      path: request.path,
      objectId: who.objectId,
      sourceIp: request.sourceIp,
      requestId: request.requestId,
      outcome: "started",
      status: 0,
    };
    await plane.store.put(auditKind, item);
    return new AuditEntry(plane, item);
  }

  async end(outcome: AuditItem["outcome"], status: number, objectId?: string): Promise<void> {
    const item = { ...this.#item, outcome, status };
    await this.#plane.store.put(auditKind, objectId === undefined ? item : { ...item, objectId });
  }
}
