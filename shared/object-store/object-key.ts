import { keyBytesMax, keySegmentBytesMax } from "./limits.ts";

/**
 * Why no store would take the key; undefined when it is fine. All stores take what the narrowest (a directory) can:
 * names of letters, digits and `._=-` between single slashes, none of them `.` or `..`.
 */
export function keyFault(key: string): string | undefined {
  if (Buffer.byteLength(key) > keyBytesMax) {
    return `key of more than ${keyBytesMax} bytes`;
  }
  const wrong = key.split("/").find((segment) => {
    const allowed = /^[A-Za-z0-9._=-]+$/.test(segment);
    return !allowed || segment === "." || segment === ".." || segment.length > keySegmentBytesMax;
  });
  return wrong === undefined ? undefined : `key segment "${wrong}" is not allowed`;
}
