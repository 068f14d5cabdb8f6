/** A connection to a group's coordinator, whoever that is by now: looked for anew after each failure. */
import { KafkaConnection } from "../kafka-connection.ts";
import { type Cell, sleep } from "./cell.ts";
import { findCoordinators } from "./group-member.ts";

/** Between two attempts; the Java client's retry.backoff.ms. */
const retryMs = 100;
const lookupMsMax = 1_000;
const connectMsMax = 1_000;

/** Errors after which clients look for the coordinator again. */
const elsewhere: ReadonlySet<string> = new Set(["NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"]);

export class CoordinatorLink {
  readonly #groupId: string;
  #connecting: Promise<KafkaConnection> | undefined;
  #connection: KafkaConnection | undefined;
  /** Of the connection. */
  #address = "";
  /** Asked in this order; one that failed is asked last, as clients prefer brokers that they have no trouble with. */
  #addresses: readonly string[];
  #closed = false;

  constructor(cell: Cell, groupId: string) {
    this.#groupId = groupId;
    this.#addresses = cell.bootstrap;
  }

  /**
   * Undefined when there is none now, after a pause: try again. `run` gives the answer, or the name of an error that may
   * mean that the coordinator is another one.
   */
  async ask<T>(run: (connection: KafkaConnection) => Promise<T>): Promise<T | undefined> {
    let used: KafkaConnection | undefined;
    try {
      used = await this.#open();
      const answer = await run(used);
      if (typeof answer !== "string" || answer === "NONE") return answer;
      if (elsewhere.has(answer)) this.#forget(used);
      await sleep(retryMs);
      return answer;
    } catch {
      if (used !== undefined) this.#forget(used);
      await sleep(retryMs);
      return undefined;
    }
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }

  async #open(): Promise<KafkaConnection> {
    if (this.#connection?.isOpen === true) return this.#connection;
    this.#connecting ??= this.#find();
    try {
      this.#connection = await this.#connecting;
      if (this.#closed) this.#connection.close();
      return this.#connection;
    } finally {
      this.#connecting = undefined;
    }
  }

  async #find(): Promise<KafkaConnection> {
    let address = this.#addresses[0] ?? "";
    let asked: KafkaConnection | undefined;
    try {
      asked = await KafkaConnection.open(address, connectMsMax);
      const found = (await findCoordinators(asked, [this.#groupId], lookupMsMax)).get(this.#groupId);
      if (found === undefined) throw new Error("no coordinator is known");
      address = found.address;
      const connection = await KafkaConnection.open(address, connectMsMax);
      this.#address = address;
      return connection;
    } catch (error) {
      this.#askLast(address);
      throw error;
    } finally {
      asked?.close();
    }
  }

  #forget(connection: KafkaConnection): void {
    connection.close();
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#askLast(this.#address);
  }

  #askLast(failed: string): void {
    const others = this.#addresses.filter((address) => address !== failed);
    if (others.length < this.#addresses.length) this.#addresses = [...others, failed];
  }
}
