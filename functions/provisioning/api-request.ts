/** A request and an answer of the API, whatever carried them. */
export interface ApiRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string | undefined;
  readonly sourceIp: string;
  readonly requestId: string;
  /** What addresses in answers begin with: `https://api.example.com`. */
  readonly baseUrl: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; undefined for none. */
  readonly body: unknown;
}
