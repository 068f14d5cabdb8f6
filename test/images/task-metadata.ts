/** The ECS task metadata endpoint, version 4: tells each container the address of its task. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class TaskMetadata {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<TaskMetadata> {
    const server = createServer((request, response) => {
      const address = request.url?.replace(/^\/v4\//, "") ?? "";
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ Networks: [{ NetworkMode: "awsvpc", IPv4Addresses: [address] }] }));
    });
    await new Promise<void>((resolve) => server.listen({ host: "0.0.0.0", port: 0 }, resolve));
    return new TaskMetadata(server);
  }

  /** For the container at `address`, which reaches this machine at `gateway`. */
  uri(gateway: string, address: string): string {
    return `http://${gateway}:${(this.#server.address() as AddressInfo).port}/v4/${address}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
