import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { GroupLedger } from "./group-ledger.ts";
import type { ConnectionSettings } from "./test-client.ts";

export interface MemberSettings {
  readonly library: "kafkajs" | "@platformatic/kafka";
  readonly connection: ConnectionSettings;
  readonly clientId: string;
  readonly groupId: string;
  readonly topic: string;
  readonly sessionTimeoutMs: number;
}

export type MemberEvent =
  | { readonly kind: "assigned"; readonly partitions: readonly number[] }
  | { readonly kind: "processed"; readonly partition: number; readonly offset: number; readonly value: string }
  /** The coordinator acknowledged it. */
  | { readonly kind: "committed"; readonly partition: number; readonly next: number }
  | { readonly kind: "left" }
  | { readonly kind: "failed"; readonly reason: string };

const program = fileURLToPath(new URL("./group-member-process.ts", import.meta.url));

/** A member of a group in a process of its own (`group-member-process.ts`); what it does goes into a ledger. */
export class GroupMember {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  /** What it was assigned last; none before and after. */
  partitions: readonly number[] = [];
  /** Values in the order in which it processed them. */
  readonly values: string[] = [];

  constructor(settings: MemberSettings, ledger: GroupLedger) {
    this.#child = fork(program, [JSON.stringify(settings)], {
      // kafkajs throttles itself with negative waits.
      execArgv: ["--disable-warning=TimeoutNegativeWarning"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.on("message", (event: MemberEvent) => {
      if (event.kind === "assigned") this.partitions = event.partitions;
      if (event.kind === "processed") this.values.push(event.value);
      if (event.kind === "left") this.partitions = [];
      ledger.note(this, event);
    });
  }

  /** Leaves the group in order. */
  async leave(): Promise<void> {
    this.#child.send("leave");
    await this.#exited;
  }

  /** `kill -9`: its connections break, and nobody is told why. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
    this.partitions = [];
  }
}
