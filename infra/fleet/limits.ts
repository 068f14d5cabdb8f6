/** What a fleet may be; Fargate's, EBS's and CloudWatch's own bounds where they have some. */

/**
 * Cells of a fleet: the router follows the log of each. So many fit into what CloudWatch takes for a dashboard (500 widgets)
 * and Lambda for a function's environment.
 */
export const cellsMax = 40;
/** A cell is the unit of blast radius: more brokers are another cell. */
export const brokersPerZoneMax = 10;
/** Fargate's sizes: for units of 1/1024 of a vCPU, the least and the most MiB of memory, and the steps between. */
export const fargateMemoryMiB: ReadonlyMap<
  number,
  { readonly min: number; readonly max: number; readonly step: number }
> = new Map([
  [256, { min: 512, max: 2_048, step: 512 }],
  [512, { min: 1_024, max: 4_096, step: 1_024 }],
  [1_024, { min: 2_048, max: 8_192, step: 1_024 }],
  [2_048, { min: 4_096, max: 16_384, step: 1_024 }],
  [4_096, { min: 8_192, max: 30_720, step: 1_024 }],
  [8_192, { min: 16_384, max: 61_440, step: 4_096 }],
  [16_384, { min: 32_768, max: 122_880, step: 8_192 }],
]);
/** Fargate gives 20 GiB in any case, and takes 21 to 200. */
export const ephemeralGibMin = 21;
export const ephemeralGibMax = 200;
/** gp3. */
export const volumeGibMax = 16_384;
/** Of a gp3 volume, above the 3,000 that each has. */
export const volumeIopsPerGib = 500;
/** A gp3 volume moves a MiB/s for each four of its IOPS. */
export const volumeIopsPerMibps = 4;
/** A task has this long between SIGTERM and SIGKILL; Fargate's maximum. */
export const stopTimeoutSeconds = 120;
export const logRetentionDays: ReadonlySet<number> = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557, 2_922, 3_288, 3_653,
]);
/** A certificate that is good for fewer days is an alarm: ACM renews earlier, and operators need some days themselves. */
export const certificateDaysMin = 21;
/** Services of AWS that tasks without a way to the internet reach by interface endpoints, each in three zones. */
export const interfaceEndpointsCount = 4;
