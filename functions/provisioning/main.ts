/** The Lambda behind every route of the HTTP API. */
import { systemClock } from "../../shared/ports/clock.ts";
import { functionLogger } from "../middleware/function-logger.ts";
import { httpApi } from "../middleware/http-api.ts";
import { awsControlPlane } from "./aws-control-plane.ts";
import { functionConfig } from "./config.ts";
import { ProvisioningApi } from "./provisioning-api.ts";

const config = functionConfig();
const api = new ProvisioningApi(awsControlPlane(config, "provisioning"));

export const handler = httpApi({
  answer: (request) => api.answer(request),
  logger: functionLogger("provisioning"),
  clock: systemClock,
  publicUrl: config.publicUrl,
});
