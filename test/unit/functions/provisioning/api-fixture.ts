import type { ApiAnswer } from "../../../../functions/provisioning/api-request.ts";
import type { ControlPlane } from "../../../../functions/provisioning/control-plane.ts";
import type { Fleet } from "../../../../functions/provisioning/fleet.ts";
import { openControlPlane } from "../../../../functions/provisioning/open-control-plane.ts";
import { ensureOperatorKey } from "../../../../functions/provisioning/operator-key.ts";
import { ProvisioningApi } from "../../../../functions/provisioning/provisioning-api.ts";
import type { ItemStore } from "../../../../shared/item-store/item-store.ts";
import { MemoryItemStore } from "../../../../shared/item-store/memory-item-store.ts";
import { ImageState } from "../../../../shared/metadata/image/image-state.ts";
import { replay } from "../../../../shared/metadata/image/replay.ts";
import { decodeEntry } from "../../../../shared/metadata/records/entry.ts";
import { seededRandom } from "../../shared/metadata/log/seeded-random.ts";
import { VirtualTime } from "../../shared/metadata/log/virtual-time.ts";

export const fleet: Fleet = {
  cloud: "AWS",
  region: "us-east-1",
  cells: [
    { cell: "cell-1", state: "open", kafkaBootstrap: "{lkc}.example.com:9092" },
    { cell: "cell-2", state: "open", kafkaBootstrap: "{lkc}.example.com:9092" },
  ],
};

export const graceMs = 72 * 3_600_000;

export interface Credentials {
  readonly keyId: string;
  readonly secret: string;
}

export interface SentCall {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly as?: Credentials | undefined;
}

interface ObjectBody {
  readonly id: string;
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly secret?: string;
    readonly environment?: { readonly id: string };
  };
  readonly status: { readonly phase: string };
  readonly display_name: string;
  readonly metadata: { readonly next?: string; readonly total_size?: number; readonly self: string };
  readonly data: readonly ObjectBody[];
  readonly errors: readonly {
    readonly detail: string;
    readonly code: string;
    readonly source?: Readonly<Record<string, string>>;
  }[];
}

/** What a test reads of an answer. */
export interface Answered extends ApiAnswer {
  readonly json: ObjectBody;
}

/** A control plane on items in memory, with an operator's key. */
export class ApiFixture {
  readonly time = new VirtualTime(true);
  readonly controlItems = new MemoryItemStore<string>();
  readonly logItems = new MemoryItemStore();
  readonly plane: ControlPlane;
  readonly api: ProvisioningApi;
  readonly seed: number;
  operator: Credentials = { keyId: "", secret: "" };
  #actors = 0;
  #requests = 0;

  constructor(seed = 1) {
    this.seed = seed;
    this.plane = this.openPlane();
    this.api = new ProvisioningApi(this.plane, { perSecond: 10_000, burst: 10_000 });
  }

  static async start(seed = 1): Promise<ApiFixture> {
    const fixture = new ApiFixture(seed);
    fixture.operator = await fixture.time.until(ensureOperatorKey(fixture.plane, undefined, () => undefined));
    return fixture;
  }

  /** Another process on the same tables, maybe through a way that fails. */
  openPlane(
    controlItems: ItemStore<string> = this.controlItems,
    logItems: ItemStore = this.logItems,
    cells: Fleet["cells"] = fleet.cells,
  ): ControlPlane {
    return openControlPlane({
      controlItems,
      logItems,
      fleet: { ...fleet, cells },
      graceMs,
      writer: "test",
      clock: this.time,
      timers: this.time,
      random: seededRandom(this.seed * 10_007 + this.#actors++),
    });
  }

  /** Begins a call without letting time pass. */
  begin(line: string, sent: SentCall = {}, api: ProvisioningApi = this.api): Promise<Answered> {
    const [method = "", target = ""] = line.split(" ");
    const url = new URL(target, "http://api.test");
    const { keyId, secret } = sent.as ?? this.operator;
    return api
      .answer({
        method,
        path: url.pathname,
        query: url.searchParams,
        headers: {
          authorization: `Basic ${Buffer.from(`${keyId}:${secret}`).toString("base64")}`,
          ...(sent.body === undefined ? {} : { "content-type": "application/json" }),
          ...sent.headers,
        },
        body: sent.body === undefined ? undefined : JSON.stringify(sent.body),
        sourceIp: "192.0.2.1",
        requestId: `request-${++this.#requests}`,
        baseUrl: "http://api.test",
      })
      .then((answer) => ({ ...answer, json: answer.body as ObjectBody }));
  }

  /** `POST /iam/v2/api-keys` with a body; time passes until it is answered. */
  send(line: string, sent: SentCall = {}, api: ProvisioningApi = this.api): Promise<Answered> {
    return this.time.until(this.begin(line, sent, api));
  }

  async makeCluster(name: string, as?: Credentials): Promise<{ readonly id: string; readonly environment: string }> {
    const made = await this.send("POST /cmk/v2/clusters", { body: { spec: { display_name: name } }, as });
    if (made.status !== 202) throw new Error(JSON.stringify(made.body));
    return { id: made.json.id, environment: made.json.spec.environment?.id ?? "" };
  }

  async makeKey(spec: object = {}, as?: Credentials): Promise<Credentials> {
    const made = await this.send("POST /iam/v2/api-keys", { body: { spec }, as });
    if (made.status !== 202) throw new Error(JSON.stringify(made.body));
    return { keyId: made.json.id, secret: made.json.spec.secret ?? "" };
  }

  /** A tenant: an organization with the cloud key of its administrator. */
  async makeTenant(name: string): Promise<Credentials & { readonly organization: string }> {
    const organization = await this.send("POST /balafon/v1/organizations", { body: { display_name: name } });
    const headers = { "balafon-organization": organization.json.id };
    const account = await this.send("POST /iam/v2/service-accounts", { body: { display_name: "admin" }, headers });
    const body = { spec: { owner: { id: account.json.id } } };
    const key = await this.send("POST /iam/v2/api-keys", { body, headers });
    return { organization: organization.json.id, keyId: key.json.id, secret: key.json.spec.secret ?? "" };
  }

  /** What the brokers of a cell know. */
  async image(cell: string): Promise<ImageState> {
    const state = ImageState.empty(cell);
    for (let from = 1; ; from = state.seq + 1) {
      const page = await this.time.until(this.logItems.query({ partition: cell, from, limit: 1_000 }));
      if (page.kind !== "page") throw new Error(page.message);
      for (const item of page.items) {
        const decoded = decodeEntry(Buffer.from(item.attributes["bytes"] as Uint8Array));
        if (decoded.kind !== "decoded") throw new Error(decoded.message);
        replay(state, item.sort, decoded.entry.records);
      }
      if (!page.more) return state;
    }
  }
}
