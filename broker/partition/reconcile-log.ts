import { commonEnd, EpochHistory } from "../log/epoch-history.ts";
import type { PartitionLogContract } from "../log/log-contract.ts";
import type { AttachMessage } from "../peer/peer-messages.ts";
import type { ReplicaContext } from "./replica-context.ts";

/**
 * Makes a replica's log a prefix of the leader's, by the epoch history that came with the attach (DESIGN section 5,
 * Reconcile). Waits for writes under way, which belong to an older epoch. Rejects when the log fails.
 */
export async function reconcileLog(
  log: PartitionLogContract,
  message: AttachMessage,
  context: Pick<ReplicaContext, "rules" | "onTruncated">,
): Promise<void> {
  const common = commonEnd(
    log.epochs,
    log.endOffset,
    EpochHistory.of(message.epochs.map(([epoch, startOffset]) => ({ epoch, startOffset }))),
    message.logEndOffset,
    Math.max(log.startOffset, message.logStartOffset),
  );
  const cut = context.rules.truncationPoint(common, log.endOffset);
  const { startOffset, endOffset } = log;
  const beginsInBatch = startOffset === endOffset && endOffset === message.logStartOffset;
  if (endOffset < message.logStartOffset || cut < startOffset || (beginsInBatch && message.firstOffset < endOffset)) {
    await log.restartAt(message.firstOffset);
    return;
  }
  if (cut < endOffset) context.onTruncated(endOffset, cut);
  // Also when nothing is cut: it waits for the writes under way.
  await log.truncate(cut);
}
