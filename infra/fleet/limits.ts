/** What a fleet may be; Fargate's, EBS's and CloudWatch's own bounds where they have some. */

/** Cells of a fleet: the router follows the log of each. */
export const cellsMax = 50;
/** A cell is the unit of blast radius: more brokers are another cell. */
export const brokersPerZoneMax = 10;
/** Fargate's sizes, in units of 1/1024 of a vCPU. */
export const cpuUnits: readonly number[] = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384];
export const memoryMiBMax = 122_880;
/** Fargate gives 20 GiB in any case, and takes 21 to 200. */
export const ephemeralGibMin = 21;
export const ephemeralGibMax = 200;
/** gp3. */
export const volumeGibMax = 16_384;
/** A task has this long between SIGTERM and SIGKILL; Fargate's maximum. */
export const stopTimeoutSeconds = 120;
export const logRetentionDays: ReadonlySet<number> = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288, 3_653,
]);
/** A certificate that is good for fewer days is an alarm: ACM renews earlier, and operators need some days themselves. */
export const certificateDaysMin = 21;
/** Services of AWS that tasks without a way to the internet reach by interface endpoints, each in three zones. */
export const interfaceEndpointsCount = 4;
