/** Limits of a deployment to an emulator. Times in milliseconds. */

/** A function that starts cold on a loaded machine is the slowest call. */
export const emulatorCallMsMax = 30_000;
/** One run of the CDK: it bundles three functions, and an emulator makes everything in a few seconds. */
export const cdkMsMax = 300_000;
/** Building both images, with the base. */
export const imagesMsMax = 300_000;
/** Tasks start, brokers register, routers read the logs. */
export const servingMsMax = 120_000;
export const servingPollMs = 250;
/** Between two looks at what the load balancer is told to do, and at the health of its targets. */
export const balancerLookMs = 1_000;
export const healthCheckMsMax = 2_000;
/** Looks in a row that fail before a target gets no new connections. */
export const unhealthyAfter = 2;
export const balancerConnectionsMax = 10_000;
export const targetConnectMsMax = 3_000;
/** Lines of a failed command that are shown. */
export const outputLinesShown = 25;
