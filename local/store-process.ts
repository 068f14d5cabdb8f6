/**
 * The embedded store: one process that owns the SQLite file and serves it to brokers, over a Unix socket (docs/adr/0004).
 * `node local/store-process.ts DATABASE CONTROL_DATABASE SOCKET CELL_SECRET_FILE`: the metadata logs are in the first,
 * the control plane's items in the second. One JSON line on stdout when it serves; ends on
 * SIGTERM, and when its supervisor is gone.
 */
import { readFileSync } from "node:fs";
import { storeToken } from "../shared/access/store-token.ts";
import { startItemStoreServer } from "../shared/item-store/item-store-server.ts";
import { SqliteItemStore } from "../shared/item-store/sqlite-item-store.ts";

async function main(): Promise<void> {
  const [database, controlDatabase, socket, cellSecretFile] = process.argv.slice(2);
  if (database === undefined || controlDatabase === undefined || socket === undefined || cellSecretFile === undefined) {
    process.stderr.write("usage: node local/store-process.ts DATABASE CONTROL_DATABASE SOCKET CELL_SECRET_FILE\n");
    process.exit(2);
  }

  const store = orEnd(database, () => new SqliteItemStore(database, "number"));
  const textStore = orEnd(controlDatabase, () => new SqliteItemStore(controlDatabase, "text"));
  const server = await startItemStoreServer({
    store,
    textStore,
    listen: { path: socket },
    token: storeToken(readFileSync(cellSecretFile)),
  });

  const stop = async () => {
    await server.close();
    store.close();
    textStore.close();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("disconnect", () => void stop());
  process.stdout.write(`${JSON.stringify({ event: "ready" })}\n`);
}

/** A disk that is full or failing is for a person to mend: what SQLite says of it, without where in the code. */
function orEnd<Store>(file: string, open: () => Store): Store {
  try {
    return open();
  } catch (error) {
    process.stderr.write(`${file} cannot be opened: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

// Not when it is only compiled (compile-ahead.ts).
if (import.meta.main) await main();
