/**
 * Loads what the processes of the local cloud load, and ends: Node then has it stripped of types and compiled in its cache
 * (`compile-cache.ts`).
 */
import "../broker/main.ts";
import "../router/main.ts";
// Loaded late, where the embedded stores are used.
import "../shared/item-store/remote-item-store.ts";
import "../shared/object-store/directory-object-store.ts";
import "./store-process.ts";
