/**
 * The few calls to an AWS emulator for which this project has no SDK. Emulators take the account and the service from the
 * Authorization header and check no signature, so that these calls work there and nowhere else.
 */
import { emulatorCallMsMax } from "./limits.ts";

export interface EmulatorPlace {
  /** `http://127.0.0.1:4566`, without a slash at the end. */
  readonly endpoint: string;
  readonly region: string;
}

/** An emulator refused a call, or does not know it. */
export class EmulatorError extends Error {
  readonly code = "EMULATOR";
  readonly status: number;
  constructor(what: string, status: number, text: string) {
    super(`${what}: status ${status}: ${text.slice(0, 300)}`);
    this.name = "EmulatorError";
    this.status = status;
  }
}

export class EmulatorClient {
  readonly #place: EmulatorPlace;

  constructor(place: EmulatorPlace) {
    this.#place = place;
  }

  /** Whether something answers there as LocalStack and those like it do. */
  async isThere(): Promise<boolean> {
    try {
      const response = await fetch(`${this.#place.endpoint}/_localstack/health`, {
        signal: AbortSignal.timeout(emulatorCallMsMax),
      });
      return response.ok;
    } catch {
      return false;
    }
  }

  /** Whether a service is offered, asked by a call that changes nothing. */
  async offers(service: "ecs" | "elasticloadbalancing" | "apigatewayv2"): Promise<boolean> {
    try {
      if (service === "ecs") await this.json("ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", {});
      else if (service === "apigatewayv2") await this.rest("apigateway", "GET", "/v2/apis");
      else await this.query("elasticloadbalancing", "2015-12-01", { Action: "DescribeLoadBalancers" });
      return true;
    } catch (error) {
      if (error instanceof EmulatorError) return false;
      throw error;
    }
  }

  /** A call of a service that speaks JSON. */
  async json(service: string, target: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const text = await this.#send(service, target, "/", {
      method: "POST",
      headers: { "x-amz-target": target, "content-type": "application/x-amz-json-1.1" },
      body: JSON.stringify(body),
    });
    return text === "" ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>);
  }

  /** A call of a service that takes a form and answers XML. */
  query(service: string, version: string, fields: Readonly<Record<string, string>>): Promise<string> {
    const body = new URLSearchParams({ Version: version, ...fields }).toString();
    return this.#send(service, fields["Action"] ?? service, "/", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body,
    });
  }

  /** A call of a service that has paths; answers its text. */
  rest(service: string, method: string, path: string, body?: string): Promise<string> {
    return this.#send(service, `${method} ${path}`, path, { method, ...(body === undefined ? {} : { body }) });
  }

  async #send(
    service: string,
    what: string,
    path: string,
    request: { readonly method: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
  ): Promise<string> {
    const { endpoint, region } = this.#place;
    const scope = `test/20260101/${region}/${service}/aws4_request`;
    const response = await fetch(`${endpoint}${path}`, {
      ...request,
      headers: {
        ...request.headers,
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      },
      signal: AbortSignal.timeout(emulatorCallMsMax),
    });
    const text = await response.text();
    if (!response.ok) throw new EmulatorError(what, response.status, text);
    return text;
  }
}

/** The texts between the tags of this name, in order. */
export function xmlTexts(xml: string, tag: string): readonly string[] {
  return [...xml.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, "g"))].map(([, text = ""]) => text);
}
