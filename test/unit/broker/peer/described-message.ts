/** What a message between brokers says, in a line a person can read. */
import {
  decodeAcks,
  decodeAppend,
  decodeJson,
  type JsonMessage,
  MessageType,
} from "../../../../broker/peer/peer-messages.ts";

/** One line for each entry of a message; heartbeats and metadata entries say nothing of replication and give none. */
export function describeMessage(message: Buffer): string[] {
  switch (message[0]) {
    case MessageType.append:
      return decodeAppend(message).map(({ stream, highWatermark, logStartOffset, chunks }) => {
        const pushed = chunks.map(
          ({ baseOffset, endOffset, epoch, startsSegment }) =>
            `[${baseOffset}, ${endOffset}) of epoch ${epoch}${startsSegment ? " (new segment)" : ""}`,
        );
        const start = logStartOffset > 0 ? `, log start ${logStartOffset}` : "";
        return `append on ${stream}: ${pushed.join(", ") || "nothing"}; high watermark ${highWatermark}${start}`;
      });
    case MessageType.ack:
      return decodeAcks(message).map(({ stream, heldOffset, logStartOffset, accepted, votes }) => {
        const start = logStartOffset > 0 ? `, log start ${logStartOffset}` : "";
        return `ack on ${stream}: holds ${heldOffset}${start}${accepted ? ", accepted" : ""}${votes ? "" : ", no vote"}`;
      });
    case MessageType.json:
      return describeJson(decodeJson(message));
    default:
      return [];
  }
}

function describeJson(message: JsonMessage): string[] {
  switch (message.kind) {
    case "attach": {
      const { stream, epoch, endAtElection, logStartOffset, logEndOffset, highWatermark, epochs } = message;
      const history = epochs.map(([of, start]) => ` ${of} from ${start}`).join(",") || " none";
      const log = `log [${logStartOffset}, ${logEndOffset}), ${endAtElection} at election, epochs${history}`;
      return [`attach on ${stream}: leader of epoch ${epoch}, ${log}, high watermark ${highWatermark}`];
    }
    case "attached":
      return [`attached on ${message.stream}: push from ${message.endOffset}`];
    case "refused":
      return [
        `refused on ${message.stream}: ${message.promisedEpoch < 0 ? "no such stream" : `promised ${message.promisedEpoch}`}`,
      ];
    case "heartbeat":
      return [];
    case "call":
      return [`call ${message.id}: ${message.method}`];
    case "answer":
      return [`answer ${message.id}`];
  }
}
