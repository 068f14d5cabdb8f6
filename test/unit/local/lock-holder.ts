/** Takes a data directory and keeps it until it is killed: a second `npm start` for the test of the lock. */
import { claimDataDirectory, dataLayout } from "../../../local/data-directory.ts";

claimDataDirectory(dataLayout(process.argv[2] ?? ""));
process.send?.("locked");
setInterval(() => undefined, 60_000);
