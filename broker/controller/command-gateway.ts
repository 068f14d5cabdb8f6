import { decide } from "../../shared/metadata/commands/decide.ts";
import type { MetadataCommand, ReplyTo } from "../../shared/metadata/commands/metadata-command.ts";
import type { BrokerId, MetadataSeq } from "../../shared/metadata/records/record.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { type Random, randomUuid } from "../../shared/ports/random.ts";
import type { Timers } from "../../shared/ports/timers.ts";
import type { PeerLinks } from "../peer/peer-links.ts";
import type { Controller } from "./controller.ts";
import { commandRetryMs } from "./limits.ts";
import type { MetadataAccess } from "./metadata-access.ts";

export type SubmitResult<C extends MetadataCommand = MetadataCommand> =
  /** Decided by the controller and applied here. Refusals are replies. */
  | { readonly kind: "done"; readonly reply: ReplyTo<C> }
  /** No controller could be asked in time; nothing was done. */
  | { readonly kind: "no-controller" }
  /** The controller was asked and did not answer, or could not append: it may have been done. */
  | { readonly kind: "unknown"; readonly reason: string };

export interface CommandPorts {
  readonly self: BrokerId;
  readonly cellNumber: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly links: PeerLinks;
  readonly metadata: MetadataAccess;
  readonly controller: Controller;
}

/** What the controller's broker answers to a forwarded command. */
type ForwardedReply =
  | { readonly kind: "done"; readonly seq: MetadataSeq; readonly reply: unknown }
  | { readonly kind: "not-controller" }
  | { readonly kind: "failed"; readonly reason: string };

/** Carries changes of metadata to the controller, from whichever broker was asked for them. */
export class CommandGateway {
  readonly #ports: CommandPorts;

  constructor(ports: CommandPorts) {
    this.#ports = ports;
  }

  /** Resolves once this broker's image holds what the command did, so that the caller reads its own writes. */
  async submit<C extends MetadataCommand>(command: C, timeoutMs: number): Promise<SubmitResult<C>> {
    const { clock, metadata, controller } = this.#ports;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) return { kind: "no-controller" };
      const answer = controller.inOffice ? await this.execute(command) : await this.#forward(command, leftMs);
      switch (answer.kind) {
        case "done": {
          const waited = await metadata.follower.waitFor(answer.seq, Math.max(1, deadlineMs - clock.monotonicMs()));
          if (waited !== "reached") return { kind: "unknown", reason: "done, but not seen by this broker in time" };
          return { kind: "done", reply: answer.reply as ReplyTo<C> };
        }
        case "not-controller":
          await this.#pause();
          break;
        case "failed":
          return { kind: "unknown", reason: answer.reason };
      }
    }
  }

  /** Decides a command in office; called by this broker or for another one. */
  async execute(command: MetadataCommand): Promise<ForwardedReply> {
    const { metadata, controller, links, clock, random, cellNumber } = this.#ports;
    if (!controller.inOffice) return { kind: "not-controller" };
    const context = {
      aliveBrokers: links.alive().filter((broker) => !controller.view.isDraining(broker)),
      wallMs: clock.wallMs(),
      cellNumber,
      randomId: () => randomUuid(random),
    };
    const result = await metadata.propose((image) => decide(image, command, context));
    if (result.kind === "failed") return { kind: "failed", reason: result.reason };
    return { kind: "done", seq: result.seq, reply: result.reply };
  }

  async #forward(command: MetadataCommand, timeoutMs: number): Promise<ForwardedReply> {
    const { links, metadata, self } = this.#ports;
    const target = metadata.image.controller?.brokerId;
    if (target === undefined || target === self || !links.isAlive(target)) return { kind: "not-controller" };
    const result = await links.call(target, "command", command, timeoutMs);
    if (result.kind === "answered") return result.body as ForwardedReply;
    return result.reason === "no link" ? { kind: "not-controller" } : { kind: "failed", reason: result.reason };
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#ports.timers.after(commandRetryMs, resolve));
  }
}
