/**
 * The vocabulary of the schema tables: one builder per wire type. A table is data; decoders, encoders and TypeScript
 * types all derive from it (`compile-schema.ts`, `Decoded`, `Encodable`).
 *
 * Every builder takes the versions that carry the field and options:
 *
 * - `nullable`: versions at which null is allowed.
 * - `default`: the value a decoder gives when the version does not carry the field. Also makes the field optional for
 *   the encoder. Without it the default is zero, "", false, empty, or the zero UUID.
 * - `ignorable`: at a version without the field the encoder drops a value silently; otherwise a value that differs
 *   from the default throws, for the peer would misunderstand.
 * - `advisory`: as `ignorable`, but by our decision and not the protocol guide's: the field only helps clients that know
 *   it, and Apache's broker leaves it out for older ones by hand. It keeps version checks out of our handlers.
 * - `tag`: the field travels in the tagged section at all its versions, and only when it differs from the default.
 * - `entity`: what the value names. Tenant isolation tests walk the tables by this.
 *
 * int64 values are JavaScript numbers. Offsets, timestamps and sizes saturate: anything beyond the safe integers reads
 * as `Number.MAX_SAFE_INTEGER` or `MIN_SAFE_INTEGER`, and those two are written as the int64 extremes, so the
 * sentinel Long.MAX_VALUE survives a round trip and stays larger than every real value. Identities (`exact`) do not
 * saturate, since two ids must never become one: an unsafe value is malformed.
 */
import { NO_VERSIONS, parseVersionRange, type VersionRange, type VersionSpec } from "./version-range.ts";

export type PrimitiveName =
  | "bool"
  | "int8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "float64"
  | "string"
  | "bytes"
  | "records"
  | "uuid";

/** What a field names, in the words of the protocol guide. */
export type EntityKind = "topicName" | "groupId" | "transactionalId" | "producerId" | "brokerId";

export type FieldType =
  | { readonly kind: PrimitiveName }
  | { readonly kind: "struct"; readonly struct: AnyStruct }
  | { readonly kind: "array"; readonly element: PrimitiveName | AnyStruct };

/**
 * One row of a table. `decoded` and `encodable` exist in the type system only: they carry what the decoder gives and
 * what the encoder takes.
 */
export interface Field<D, E, O extends boolean> {
  readonly decoded: D;
  readonly encodable: E;
  /** Whether the encoder can do without: the table declares a default or a tag. */
  readonly optional: O;
  readonly type: FieldType;
  readonly versions: VersionRange;
  readonly nullableVersions: VersionRange;
  readonly default: number | string | boolean | null | undefined;
  readonly ignorable: boolean;
  readonly advisory: boolean;
  readonly tag: number | undefined;
  readonly entity: EntityKind | undefined;
  /** int64 only: unsafe integers are malformed instead of saturated. */
  readonly exact: boolean;
}

export type AnyField = Field<unknown, unknown, boolean>;
export type FieldTable = Readonly<Record<string, AnyField>>;

export interface Struct<D, E> {
  readonly decoded: D;
  readonly encodable: E;
  readonly fields: FieldTable;
}

export type AnyStruct = Struct<unknown, unknown>;

/** What decoding gives: every field, absent ones at their default. */
export type Decoded<S extends AnyStruct> = S["decoded"];
/** What encoding takes: fields with a declared default or a tag may be left out. */
export type Encodable<S extends AnyStruct> = S["encodable"];

type DecodedFields<F extends FieldTable> = { readonly [K in keyof F]: F[K]["decoded"] };

type EncodableFields<F extends FieldTable> = Flatten<
  { readonly [K in keyof F as F[K]["optional"] extends true ? never : K]: F[K]["encodable"] } & {
    readonly [K in keyof F as F[K]["optional"] extends true ? K : never]?: F[K]["encodable"] | undefined;
  }
>;

type Flatten<T> = { readonly [K in keyof T]: T[K] };

interface FieldOptions<V> {
  readonly nullable?: VersionSpec;
  readonly default?: V | null;
  readonly ignorable?: boolean;
  readonly advisory?: boolean;
  readonly tag?: number;
  readonly entity?: EntityKind;
  readonly exact?: boolean;
}

type NullIn<O> = O extends { readonly nullable: string } ? null : never;
type OptionalIn<O> = O extends { readonly default: unknown } | { readonly tag: number } ? true : false;

type FieldOf<O, D, E = D> = Field<D | NullIn<O>, E | NullIn<O>, OptionalIn<O>>;

type NoOptions = Record<never, never>;

function field(type: FieldType, versions: VersionSpec, options: FieldOptions<unknown>): AnyField {
  const row: Omit<AnyField, "decoded" | "encodable"> = {
    optional: options.default !== undefined || options.tag !== undefined,
    type,
    versions: parseVersionRange(versions),
    nullableVersions: options.nullable === undefined ? NO_VERSIONS : parseVersionRange(options.nullable),
    // An empty list is what an array has anyway; a table says `[]` only to make the field optional.
    default: Array.isArray(options.default) ? undefined : (options.default as AnyField["default"]),
    ignorable: options.ignorable ?? false,
    advisory: options.advisory ?? false,
    tag: options.tag,
    entity: options.entity,
    exact: options.exact ?? false,
  };
  // The two type carriers have no run-time value.
  return Object.freeze(row) as AnyField;
}

type Builder<T> = <const O extends FieldOptions<T> = NoOptions>(versions: VersionSpec, options?: O) => FieldOf<O, T>;

function primitive<T>(kind: PrimitiveName): Builder<T> {
  return <const O extends FieldOptions<T>>(versions: VersionSpec, options?: O) =>
    field({ kind }, versions, options ?? {}) as FieldOf<O, T>;
}

function named<T>(kind: PrimitiveName, named: { entity: EntityKind; exact?: boolean }): Builder<T> {
  return <const O extends FieldOptions<T>>(versions: VersionSpec, options?: O) =>
    field({ kind }, versions, { ...options, ...named }) as FieldOf<O, T>;
}

export const bool = primitive<boolean>("bool");
export const int8 = primitive<number>("int8");
export const int16 = primitive<number>("int16");
export const uint16 = primitive<number>("uint16");
export const int32 = primitive<number>("int32");
export const uint32 = primitive<number>("uint32");
export const int64 = primitive<number>("int64");
export const float64 = primitive<number>("float64");
export const string = primitive<string>("string");
/** Decodes to a slice of the frame, not a copy: whoever keeps it keeps the frame. */
export const bytes = primitive<Buffer>("bytes");
export const uuid = primitive<string>("uuid");

export const topicName = named<string>("string", { entity: "topicName" });
export const groupId = named<string>("string", { entity: "groupId" });
export const transactionalId = named<string>("string", { entity: "transactionalId" });
export const producerId = named<number>("int64", { entity: "producerId", exact: true });
export const brokerId = named<number>("int32", { entity: "brokerId" });

/** Record batches as the encoder takes them: whole, or in pieces that are sent one after the other without a copy. */
export type RecordChunks = Buffer | readonly Buffer[];

/** Record batches: always nullable, decoded to a slice of the frame, never copied on the way out when large. */
export function records<const O extends FieldOptions<never> = NoOptions>(
  versions: VersionSpec,
  options?: O,
): Field<Buffer | null, RecordChunks | null, OptionalIn<O>> {
  return field({ kind: "records" }, versions, options ?? {}) as Field<
    Buffer | null,
    RecordChunks | null,
    OptionalIn<O>
  >;
}

interface ElementTypes {
  readonly int8: number;
  readonly int16: number;
  readonly int32: number;
  readonly int64: number;
  readonly string: string;
  readonly uuid: string;
}

type DecodedElement<T> = T extends keyof ElementTypes ? ElementTypes[T] : T extends AnyStruct ? T["decoded"] : never;
type EncodableElement<T> = T extends keyof ElementTypes
  ? ElementTypes[T]
  : T extends AnyStruct
    ? T["encodable"]
    : never;

/** A length-prefixed list of structs or of the named primitive. Its default is empty, or null with `default: null`. */
export function array<
  const T extends keyof ElementTypes | AnyStruct,
  const O extends FieldOptions<readonly never[]> = NoOptions,
>(
  element: T,
  versions: VersionSpec,
  options?: O,
): FieldOf<O, readonly DecodedElement<T>[], readonly EncodableElement<T>[]> {
  return field({ kind: "array", element }, versions, options ?? {}) as FieldOf<
    O,
    readonly DecodedElement<T>[],
    readonly EncodableElement<T>[]
  >;
}

/** A single nested struct. Its default has every field at its own default, or is null with `default: null`. */
export function object<D, E, const O extends FieldOptions<never> = NoOptions>(
  struct: Struct<D, E>,
  versions: VersionSpec,
  options?: O,
): FieldOf<O, D, E> {
  return field({ kind: "struct", struct }, versions, options ?? {}) as FieldOf<O, D, E>;
}

export function struct<const F extends FieldTable>(fields: F): Struct<DecodedFields<F>, EncodableFields<F>> {
  const bare: Pick<AnyStruct, "fields"> = Object.freeze({ fields });
  return bare as Struct<DecodedFields<F>, EncodableFields<F>>;
}

/** One API: its key, name, versions and both messages. */
export interface Api<Q extends AnyStruct = AnyStruct, R extends AnyStruct = AnyStruct> {
  readonly key: number;
  /** The protocol's name, such as `ListOffsets`. */
  readonly name: string;
  /** Versions that the codec reads and writes. */
  readonly versions: VersionRange;
  /** Lowest version to advertise when it is not the lowest of `versions`. */
  readonly advertisedVersionMin: number;
  /** Versions with compact lengths and tagged fields. */
  readonly flexibleVersions: VersionRange;
  readonly request: Q;
  readonly response: R;
}

export type RequestOf<A extends Api> = A["request"]["decoded"];
export type RequestInputOf<A extends Api> = A["request"]["encodable"];
export type ResponseOf<A extends Api> = A["response"]["decoded"];
export type ResponseInputOf<A extends Api> = A["response"]["encodable"];

export interface ApiOptions<Q extends AnyStruct, R extends AnyStruct> {
  readonly key: number;
  readonly name: string;
  readonly versions: VersionSpec;
  readonly advertisedVersionMin?: number;
  /** Left out: never flexible. */
  readonly flexibleVersions?: VersionSpec;
  readonly request: Q;
  readonly response: R;
}

export function api<const Q extends AnyStruct, const R extends AnyStruct>(options: ApiOptions<Q, R>): Api<Q, R> {
  const versions = parseVersionRange(options.versions);
  return Object.freeze({
    key: options.key,
    name: options.name,
    versions,
    advertisedVersionMin: options.advertisedVersionMin ?? versions.min,
    flexibleVersions:
      options.flexibleVersions === undefined ? NO_VERSIONS : parseVersionRange(options.flexibleVersions),
    request: options.request,
    response: options.response,
  });
}
