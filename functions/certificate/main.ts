/**
 * The Lambda that keeps a usable certificate in the fleet's secret: it copies an exportable certificate of ACM there when it
 * was renewed, or only looks after what the operator put there. Run twice a day, when ACM tells of a renewal, and by the operator.
 */
import { systemClock } from "../../shared/ports/clock.ts";
import { systemRandom } from "../../shared/ports/random.ts";
import { functionLogger } from "../middleware/function-logger.ts";
import { scheduled } from "../middleware/scheduled.ts";
import { AcmCertificateExport } from "./acm-certificate-export.ts";
import { runCertificateKeeper } from "./certificate-run.ts";
import { certificateConfig } from "./config.ts";
import { SecretsCertificateStore } from "./secrets-certificate-store.ts";

const { fleet, secretArn, certificateArn, names } = certificateConfig();
const options = {
  fleet,
  names,
  source: certificateArn === undefined ? undefined : new AcmCertificateExport(certificateArn),
  store: new SecretsCertificateStore(secretArn),
  clock: systemClock,
  random: systemRandom,
  write: (line: string) => void process.stdout.write(line),
};

export const handler = scheduled({
  name: "certificate-kept",
  run: () => runCertificateKeeper(options),
  logger: functionLogger("certificate"),
});
