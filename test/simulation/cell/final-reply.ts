import { Postponed, type Reply, type Served } from "../../../broker/handlers/context/handler.ts";

/** Asks a postponed request again until it has begun, as a connection that sends nothing else would. */
export async function finalReply(served: Served): Promise<Reply> {
  let latest = served;
  while (latest instanceof Postponed) {
    await latest.ready;
    latest = latest.again();
  }
  return latest;
}
