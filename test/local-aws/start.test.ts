/**
 * The local cloud on the real DynamoDB and S3 adapters: `npm start -- --aws-endpoint`. Needs AWS_ENDPOINT_URL and any
 * credentials in the environment; `.ci/run` starts an emulator for it.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { kafkajs } from "../cell/kafkajs-client.ts";
import { LocalCloudProcess } from "../cell/local-cloud-process.ts";

const endpoint = process.env["AWS_ENDPOINT_URL"];
let cloud: LocalCloudProcess;

beforeAll(async () => {
  if (endpoint === undefined) throw new Error("set AWS_ENDPOINT_URL to the address of an AWS emulator");
  cloud = await LocalCloudProcess.start(["--aws-endpoint", endpoint]);
});
afterAll(() => cloud?.dispose());

test("records, tenants and a second start, with metadata in DynamoDB", async () => {
  const tenant = await cloud.makeTenant("on-aws");
  const values = Array.from({ length: 100 }, (_, index) => `value-${index}`);
  const before = kafkajs.connect(cloud.secure(tenant), "before");
  await before.createTopic("on-aws", 2);
  const producer = await before.producer({ idempotent: true });
  await producer.send("on-aws", values, 1);
  await producer.close();
  await before.close();
  expect(await cloud.end()).toBe(0);
  await cloud.launch();
  const after = kafkajs.connect(cloud.secure(tenant), "after");
  expect((await after.readAll("on-aws", 1)).map(({ value }) => value)).toEqual(values);
  await after.close();
});
