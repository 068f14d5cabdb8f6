/** Where the item store server listens: a Unix-domain socket, or a port of the loopback interface. */
export type StoreEndpoint = { readonly path: string } | { readonly host: string; readonly port: number };

/** Where each call goes, by the kind of the table's sort keys; POST, JSON in and out. */
export const callPaths = {
  number: { get: "/v1/get", query: "/v1/query", put: "/v1/put", delete: "/v1/delete" },
  text: { get: "/v1/text/get", query: "/v1/text/query", put: "/v1/text/put", delete: "/v1/text/delete" },
} as const;

/** Carries the secret that client and server share; any process of the machine could reach a port of loopback. */
export const tokenHeader = "x-balafon-store-token";
