import { commonEnd, EpochHistory } from "../log/epoch-history.ts";
import type { PartitionLogContract } from "../log/log-contract.ts";
import type { AttachMessage } from "../peer/peer-messages.ts";
import type { ReplicaContext } from "./replica-context.ts";

/**
 * Makes a replica's log a prefix of the leader's, by the epoch history that came with the attach (DESIGN section 5,
 * Reconcile). Waits for writes under way, which belong to an older epoch. Rejects when the log fails.
 *
 * A log that cannot become one by a cut begins anew where the leader's begins: it ends before the leader's start; or
 * compaction has made one of the two something that the other does not continue. Nobody needs this replica's copy then:
 * what the leader has compacted was committed by others, beyond the end of this one.
 */
export async function reconcileLog(
  log: PartitionLogContract,
  message: AttachMessage,
  context: Pick<ReplicaContext, "rules" | "onTruncated" | "onRestarted">,
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
  const { firstOffset, tombstonesGoneBelow = 0 } = message;
  const isEmpty = startOffset === endOffset;
  const beginsInBatch = isEmpty && endOffset === message.logStartOffset;
  if (endOffset < message.logStartOffset || cut < startOffset || (beginsInBatch && firstOffset < endOffset)) {
    await log.restartAt(firstOffset, tombstonesGoneBelow);
    return;
  }
  // What it would copy lacks tombstones of records that it may have.
  const missesTombstones = cut < tombstonesGoneBelow;
  // It has left out records for the sake of newer ones, which the cut takes away.
  const isCompactedPast = cut < log.cleanedTo;
  if (missesTombstones || isCompactedPast) {
    context.onRestarted(endOffset, missesTombstones ? "tombstones" : "compacted");
    await log.restartAt(isEmpty ? endOffset : firstOffset, tombstonesGoneBelow);
    return;
  }
  if (cut < endOffset) context.onTruncated(endOffset, cut);
  // Also when nothing is cut: it waits for the writes under way.
  await log.truncate(cut);
}
