import type { LogicalClusterId } from "../../shared/metadata/records/record.ts";
import { stateBytesPerTenantMax } from "./limits.ts";

/**
 * What the groups of each tenant take of this broker's memory, in bytes as `group/member-bytes.ts` and its like count
 * them. State that is loaded counts and is never refused, so that a tenant can be above its limit: then it has no room.
 */
export class StateUsage {
  readonly #bytes = new Map<LogicalClusterId, number>();

  of(lkc: LogicalClusterId): number {
    return this.#bytes.get(lkc) ?? 0;
  }

  /** By how much the tenant's state may grow; negative when there is more than it may have. */
  room(lkc: LogicalClusterId): number {
    return stateBytesPerTenantMax - this.of(lkc);
  }

  /** `by` is negative when something is gone. */
  change(lkc: LogicalClusterId, by: number): void {
    const bytes = this.of(lkc) + by;
    if (bytes === 0) this.#bytes.delete(lkc);
    else this.#bytes.set(lkc, bytes);
  }
}
