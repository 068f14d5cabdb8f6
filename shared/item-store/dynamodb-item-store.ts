/**
 * Items in a DynamoDB table with partition key `log` (S) and sort key `seq` (N), or `collection` (S) and `id` (S). A conditional put is a durable commit
 * over three zones; nothing else is needed for consensus.
 *
 * The SDK must not retry: a put that succeeded, whose answer got lost, would be met again by its own retry as a false
 * conflict. So every call is one attempt, and the callers settle what became of it.
 */
import {
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  type AttributeValue as DynamoValue,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import type { Timers } from "../ports/timers.ts";
import type { SortOf } from "./item-json.ts";
import { itemFault, keyAttributes, sortKindOf } from "./item-size.ts";
import type {
  AttributeValue,
  DeleteCondition,
  GetResult,
  Item,
  ItemKey,
  ItemRange,
  ItemStore,
  PutCondition,
  QueryResult,
  SortKey,
  SortKind,
  StoreFailure,
  WriteResult,
} from "./item-store.ts";
import { callTimeoutMs, pageItemsMax } from "./limits.ts";

export interface DynamodbItemStoreOptions<Kind extends SortKind> {
  readonly table: string;
  /** Of the table's sort keys. */
  readonly kind: Kind;
  readonly client: DynamoDBClient;
  readonly timers: Timers;
  readonly timeoutMs?: number;
}

/** A client as this store needs it: one attempt a call. Region, endpoint and credentials come from `config`. */
export function dynamodbClient(config: DynamoDBClientConfig): DynamoDBClient {
  return new DynamoDBClient({ ...config, maxAttempts: 1 });
}

export class DynamodbItemStore<Kind extends SortKind = "number"> implements ItemStore<SortOf<Kind>> {
  readonly #kind: Kind;
  readonly #table: string;
  readonly #client: DynamoDBClient;
  readonly #timers: Timers;
  readonly #timeoutMs: number;

  constructor(options: DynamodbItemStoreOptions<Kind>) {
    this.#kind = options.kind;
    this.#table = options.table;
    this.#client = options.client;
    this.#timers = options.timers;
    this.#timeoutMs = options.timeoutMs ?? callTimeoutMs;
  }

  async get(key: ItemKey<SortOf<Kind>>): Promise<GetResult<SortOf<Kind>>> {
    const command = new GetItemCommand({ TableName: this.#table, Key: keyOf(key), ConsistentRead: true });
    const result = await this.#attempt(false, (abortSignal) => this.#client.send(command, { abortSignal }));
    if (result.kind !== "answered") {
      return result.kind === "conflict" ? unexpectedConflict : result;
    }
    const { Item: found } = result.output;
    return found === undefined ? { kind: "absent" } : { kind: "found", item: itemOf(found, this.#kind) };
  }

  async query(range: ItemRange<SortOf<Kind>>): Promise<QueryResult<SortOf<Kind>>> {
    const command = new QueryCommand({
      TableName: this.#table,
      ConsistentRead: true,
      KeyConditionExpression: "#log = :log AND #seq >= :from",
      ExpressionAttributeNames: { "#log": keyAttributes[this.#kind].partition, "#seq": keyAttributes[this.#kind].sort },
      ExpressionAttributeValues: { ":log": { S: range.partition }, ":from": sortValue(range.from) },
      Limit: Math.min(range.limit, pageItemsMax),
    });
    const result = await this.#attempt(false, (abortSignal) => this.#client.send(command, { abortSignal }));
    if (result.kind !== "answered") {
      return result.kind === "conflict" ? unexpectedConflict : result;
    }
    const { Items: items = [], LastEvaluatedKey: last } = result.output;
    return { kind: "page", items: items.map((item) => itemOf(item, this.#kind)), more: last !== undefined };
  }

  async put(item: Item<SortOf<Kind>>, condition: PutCondition): Promise<WriteResult> {
    const fault = itemFault(item);
    if (fault !== undefined) {
      return { kind: "invalid", message: fault };
    }
    const attributes = Object.entries(item.attributes).map(([name, value]) => [name, encodeValue(value)]);
    const command = new PutItemCommand({
      TableName: this.#table,
      Item: { ...(Object.fromEntries(attributes) as Record<string, DynamoValue>), ...keyOf(item) },
      ...putExpression(condition, this.#kind),
    });
    const result = await this.#attempt(true, (abortSignal) => this.#client.send(command, { abortSignal }));
    return result.kind === "answered" ? { kind: "done" } : result;
  }

  async delete(key: ItemKey<SortOf<Kind>>, condition: DeleteCondition): Promise<WriteResult> {
    const expression = deleteExpression(condition, this.#kind);
    const command = new DeleteItemCommand({ TableName: this.#table, Key: keyOf(key), ...expression });
    const result = await this.#attempt(true, (abortSignal) => this.#client.send(command, { abortSignal }));
    return result.kind === "answered" ? { kind: "done" } : result;
  }

  async #attempt<O>(
    writes: boolean,
    send: (abortSignal: AbortSignal) => Promise<O>,
  ): Promise<{ readonly kind: "answered"; readonly output: O } | { readonly kind: "conflict" } | StoreFailure> {
    const abort = new AbortController();
    const cancel = this.#timers.after(this.#timeoutMs, () => abort.abort());
    try {
      return { kind: "answered", output: await send(abort.signal) };
    } catch (error) {
      return failureOf(error, writes);
    } finally {
      cancel();
    }
  }
}

/** A read has no condition that could fail. */
const unexpectedConflict: StoreFailure = { kind: "invalid", message: "a read was answered with a failed condition" };

interface ConditionExpression {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, DynamoValue>;
}

function putExpression(condition: PutCondition, kind: SortKind): ConditionExpression {
  const itemIsAbsent = "attribute_not_exists(#log)";
  const attributeEquals = "#attribute = :value";
  switch (condition.kind) {
    case "none":
      return {};
    case "absent":
      return { ConditionExpression: itemIsAbsent, ExpressionAttributeNames: { "#log": keyAttributes[kind].partition } };
    case "equals":
      return {
        ConditionExpression: attributeEquals,
        ExpressionAttributeNames: { "#attribute": condition.attribute },
        ExpressionAttributeValues: { ":value": encodeValue(condition.value) },
      };
  }
}

/** One that is absent counts as deleted, whatever the condition. */
function deleteExpression(condition: DeleteCondition, kind: SortKind): ConditionExpression {
  if (condition.kind === "none") {
    return {};
  }
  const itemIsAbsent = "attribute_not_exists(#log)";
  const attributeEquals = "#attribute = :value";
  return {
    ConditionExpression: `${itemIsAbsent} OR ${attributeEquals}`,
    ExpressionAttributeNames: { "#log": keyAttributes[kind].partition, "#attribute": condition.attribute },
    ExpressionAttributeValues: { ":value": encodeValue(condition.value) },
  };
}

function keyOf(key: ItemKey<SortKey>): Record<string, DynamoValue> {
  const names = keyAttributes[sortKindOf(key.sort)];
  return { [names.partition]: { S: key.partition }, [names.sort]: sortValue(key.sort) };
}

function sortValue(sort: SortKey): DynamoValue {
  return typeof sort === "number" ? { N: String(sort) } : { S: sort };
}

function encodeValue(value: AttributeValue): DynamoValue {
  switch (typeof value) {
    case "string":
      return { S: value };
    case "number":
      return { N: String(value) };
    case "boolean":
      return { BOOL: value };
    default:
      return { B: value };
  }
}

function itemOf<Kind extends SortKind>(found: Readonly<Record<string, DynamoValue>>, kind: Kind): Item<SortOf<Kind>> {
  const names = keyAttributes[kind];
  const { [names.partition]: partition, [names.sort]: sort, ...rest } = found;
  const sortKey = (kind === "number" ? Number(sort?.N) : (sort?.S ?? "")) as SortOf<Kind>;
  const attributes = Object.entries(rest).map(([name, value]) => [name, decodeValue(name, value)] as const);
  return { partition: partition?.S ?? "", sort: sortKey, attributes: Object.fromEntries(attributes) };
}

function decodeValue(name: string, value: DynamoValue): AttributeValue {
  const decoded = value.S ?? value.BOOL ?? value.B ?? (value.N === undefined ? undefined : Number(value.N));
  if (decoded === undefined) {
    throw new Error(`attribute ${name} has a type that no item of ours has`);
  }
  return decoded;
}

/** DynamoDB says by name that it did not do it, and that trying later helps. */
const throttledNames: ReadonlySet<string> = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "LimitExceededException",
  "TransactionConflictException",
]);

/** Refused before anything was done; a person has to change something, and then it works. */
const refusedNames: ReadonlySet<string> = new Set([
  "ResourceNotFoundException",
  "AccessDeniedException",
  "UnrecognizedClientException",
  "ExpiredTokenException",
  "ExpiredToken",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "CredentialsProviderError",
]);

const invalidNames: ReadonlySet<string> = new Set(["ValidationException", "ItemCollectionSizeLimitExceededException"]);

/** No connection was made, so nothing was sent. */
const notSentCodes: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"]);

function failureOf(error: unknown, writes: boolean): { readonly kind: "conflict" } | StoreFailure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const code = (error as { readonly code?: unknown }).code;
  if (name === "ConditionalCheckFailedException") {
    return { kind: "conflict" };
  }
  if (throttledNames.has(name)) {
    return { kind: "throttled", message: name };
  }
  if (invalidNames.has(name)) {
    return { kind: "invalid", message };
  }
  const notDone = refusedNames.has(name) || (typeof code === "string" && notSentCodes.has(code));
  return { kind: writes && !notDone ? "unknown" : "unavailable", message: `${name}: ${message}` };
}
