import { contract, notOffered, type RouteName } from "./contract/contract.ts";
import type { Method } from "./contract/route.ts";

export type RouteMatch =
  | { readonly kind: "route"; readonly name: RouteName; readonly params: Readonly<Record<string, string>> }
  /** The path is there with these methods. */
  | { readonly kind: "other-method"; readonly allowed: readonly Method[] }
  | { readonly kind: "not-offered"; readonly detail: string }
  | { readonly kind: "none" };

interface CompiledRoute {
  readonly name: RouteName;
  readonly method: Method;
  readonly pattern: RegExp;
}

const compiled: readonly CompiledRoute[] = Object.entries(contract).map(([name, { method, path }]) => ({
  name: name as RouteName,
  method,
  pattern: new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
}));

/** Which call a method and a path mean. */
export function matchRoute(method: string, path: string): RouteMatch {
  const allowed: Method[] = [];
  for (const route of compiled) {
    const match = route.pattern.exec(path);
    if (match === null) continue;
    if (route.method !== method) {
      allowed.push(route.method);
      continue;
    }
    const params = decoded(match.groups ?? {});
    return params === undefined ? { kind: "none" } : { kind: "route", name: route.name, params };
  }
  if (allowed.length > 0) return { kind: "other-method", allowed };
  const known = notOffered.find(({ prefix }) => path.startsWith(prefix));
  return known === undefined ? { kind: "none" } : { kind: "not-offered", detail: known.detail };
}

function decoded(groups: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    return undefined;
  }
}
