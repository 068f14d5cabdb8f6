// The container's health check: `node health.mjs PORT`. Exits 0 when `/healthz` on that port answers 200.
const response = await fetch(`http://127.0.0.1:${process.argv[2]}/healthz`, { signal: AbortSignal.timeout(3_000) });
process.exit(response.ok ? 0 : 1);
