/**
 * An emulator without what LocalStack's free edition lacks: `node main.ts TARGET` prints its port, hands calls on to
 * the emulator at TARGET, and refuses those of ECS, load balancers and HTTP APIs as LocalStack does.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";

const target = new URL(process.argv[2] ?? "");

function isLacking({ headers, url = "/" }: IncomingMessage): boolean {
  const [, service = ""] = /Credential=[^/]*\/[^/]*\/[^/]*\/([^/]*)\//.exec(headers.authorization ?? "") ?? [];
  return ["ecs", "elasticloadbalancing"].includes(service) || (service === "apigateway" && url.startsWith("/v2/"));
}

function pass(from: IncomingMessage, to: ServerResponse): void {
  const { method, url, headers } = from;
  const onward = request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(to);
  });
  onward.on("error", () => to.destroy());
  from.on("error", () => onward.destroy()).pipe(onward);
}

const server = createServer((from, to) => {
  if (!isLacking(from)) return pass(from, to);
  from.resume();
  to.writeHead(501).end("this service is not included in your current license plan");
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.stdout.write(`${address.port}\n`);
});
