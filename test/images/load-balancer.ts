/** What the network load balancer does: passes TCP through, with a PROXY header (version 2) ahead, to one of its targets. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { formatProxyHeader } from "../../shared/proxy-protocol/proxy-header.ts";

export class LoadBalancer {
  /** Addresses of routers, of which each new connection gets the first. */
  targets: readonly string[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, targets: readonly string[]) {
    this.#server = server;
    this.targets = targets;
  }

  /** Rejects when the address or port cannot be had. */
  static async listen(address: string, port: number, targets: readonly string[]): Promise<LoadBalancer> {
    const server = createServer({ pauseOnConnect: true });
    const balancer = new LoadBalancer(server, targets);
    server.on("connection", (client) => balancer.#pass(client, { address, port }));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: address, port }, resolve);
    });
    return balancer;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  #pass(client: Socket, destination: { readonly address: string; readonly port: number }): void {
    const [target = ""] = this.targets;
    const router = connect({ host: target, port: destination.port });
    const source = { address: client.remoteAddress ?? "127.0.0.1", port: client.remotePort ?? 0 };
    router.write(formatProxyHeader({ source, destination }));
    client.pipe(router);
    router.pipe(client);
    for (const [one, other] of [
      [client, router],
      [router, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
