/** A program that behaves like a broker towards its supervisor: `fake-broker.ts BEHAVIOUR`. */
const [behaviour = "serve"] = process.argv.slice(2);

if (behaviour === "die-at-start") {
  process.stderr.write('{"level":"error","event":"cannot-start"}\n');
  process.exit(3);
}
if (behaviour === "recover") process.stderr.write('{"event":"recovered-without-majority"}\n'.repeat(3));
if (behaviour === "disk-full") process.stderr.write('{"level":"error","event":"log-failed"}\n'.repeat(3));
if (behaviour === "ignore-stop") process.on("SIGTERM", () => process.stderr.write("not now\n"));
else process.on("SIGTERM", () => process.exit(0));
// The supervisor is gone: a broker ends by itself.
process.on("disconnect", () => process.exit(0));
process.stdout.write("something that is no JSON\n");
process.stdout.write(
  `${JSON.stringify({ event: "ready", brokerId: 7, peerPort: 1, adminPort: 2, listenerPorts: {} })}\n`,
);
setInterval(() => undefined, 60_000);
